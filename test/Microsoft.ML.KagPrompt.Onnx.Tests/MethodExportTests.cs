using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>Every method in ONNX, whole and of a region. A new one is a row of <see cref="Choices"/>.</summary>
public sealed class MethodExportTests(MethodExportTests.Clips clips) : IClassFixture<MethodExportTests.Clips>
{
    private const int Side = 112;
    private const string TinyClip = "tiny-clip";
    private const string TinyDino = "tiny-dino";

    private static readonly PixelBuffer[] Images =
    [
        TestImages.Part(Side, Side, 7), TestImages.Part(Side, Side, 8, defective: true), TestImages.Part(160, 120, 9), TestImages.Part(97, 131, 10, defective: true),
    ];

    private static readonly Dictionary<string, (MethodOptions Method, string Backbone)> Choices = new()
    {
        ["kag"] = (new KagOptions { Training = new() { Epochs = 0 }, Prompt = new() { FromScratch = true } }, TinyDino),
        ["patchcore"] = (new PatchCoreOptions(), "resnet18"),
        ["patchcore of taps"] = (new PatchCoreOptions(), TinyDino),
        ["patchcore of the paper"] = (new PatchCoreOptions { Scoring = PatchCoreScoring.Paper, Neighbours = 3, Layers = [1, 3], StageWidth = 100, EmbeddingWidth = 77 }, "resnet18"),
        ["spade"] = (new SpadeOptions(), "resnet18"),
        ["spade of few"] = (new SpadeOptions { Neighbours = 2, LosesRemainder = true }, "compact"),
        ["winclip"] = (new WinClipOptions(), TinyClip),
        ["winclip in words"] = (new WinClipOptions { ZeroShot = true }, TinyClip),
        ["aprilgan"] = (new AprilGanOptions { Training = new() { Epochs = 1 } }, "compact"),
        ["aprilgan in words"] = (new AprilGanOptions { Training = new() { Epochs = 1 }, ZeroShot = true }, TinyClip),
        ["anomalygpt"] = (new AnomalyGptOptions(), "resnet18"),
        ["anomalydino"] = (new AnomalyDinoOptions(), "resnet18"),
        ["anomalydino of a transformer"] = (new AnomalyDinoOptions(), TinyDino),
        ["subspacead"] = (new SubspaceOptions(), "resnet18"),
        ["rad"] = (new RadOptions(), "resnet18"),
        ["promptad"] = (new PromptAdOptions { Epochs = 2 }, TinyClip),
    };

    public static TheoryData<string> Names => [.. Choices.Keys];

    [Fact]
    public void Choices_NameEveryMethod()
        => Choices.Values.Select(choice => InspectionMethods.NameOf(choice.Method)).Distinct().Order().Should().Equal(InspectionMethods.Names.Order(), "a method without a row is not tested here");

    [Theory]
    [MemberData(nameof(Names))]
    public void Export_Of_ScoresAsTheModel(string choice) => Check(choice, []);

    [Theory]
    [MemberData(nameof(Names))]
    public void Export_OfARegion_ScoresAsTheModel(string choice)
        => Check(choice, new Dictionary<string, InspectionRegion> { ["a"] = InspectionRegion.FromShares([[(0.1, 0.1), (0.85, 0.2), (0.9, 0.9), (0.2, 0.8)]]) });

    private void Check(string choice, Dictionary<string, InspectionRegion> regions)
    {
        var options = new InspectionOptions
        {
            Method = Choices[choice].Method,
            Backbone = new() { Name = Choices[choice].Backbone, Folders = [clips.Folder] },
            Images = new() { Size = Side },
            Regions = regions,
            Device = "cpu",
            Seed = 1,
        };
        using var model = KagPromptTrainer.Fit(Enumerable.Range(0, 3).Select(seed => new TrainingImage { Image = TestImages.Part(Side, Side, seed), ClassName = "a" }), options);
        using var run = new OnnxRun(model);
        run.Metadata["kagprompt.method"].Should().Be(InspectionMethods.NameOf(options.Method));
        // Distances of vectors that are not of unit length, squared at that: a level of grey more or less weighs more.
        SameVerdicts.Check(model, run, null, Images, options.Method is PatchCoreOptions ? 5e-4 : SameVerdicts.Resized);
    }

    /// <summary>Transformers of random weights, in files of their own.</summary>
    public sealed class Clips : IDisposable
    {
        public Clips()
        {
            TinyBackbones.WriteSafetensors(Path.Combine(Folder, TinyClip), TinyBackbones.Clip(1));
            TinyBackbones.WriteSafetensors(Path.Combine(Folder, TinyDino), TinyBackbones.DinoV2(2));
            TinyBackbones.WriteVocabulary(Folder);
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("kagprompt-onnx-").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
