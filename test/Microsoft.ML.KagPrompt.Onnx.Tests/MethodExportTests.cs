using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>Every method in ONNX, whole and of a region. A new one is a row of <see cref="Choices"/>.</summary>
public sealed class MethodExportTests(MethodExportTests.Clips clips) : IClassFixture<MethodExportTests.Clips>
{
    private const int Side = 112;
    private const string TinyClip = "tiny-clip";
    private const string TinyDino = "tiny-dino";
    private const string TinyRegisters = "tiny-dino-registers";
    private const string Decoder = "decoder.safetensors";

    private static readonly PixelBuffer[] Images = QueryPictures.Of(Side);

    private static readonly Dictionary<string, (MethodOptions Method, string Backbone)> Choices = new()
    {
        ["kag"] = (new KagOptions { Training = new() { Epochs = 0 }, Prompt = new() { FromScratch = true } }, TinyDino),
        ["kag with registers"] = (new KagOptions { Training = new() { Epochs = 0 } }, TinyRegisters),
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
        ["anomalygpt in words"] = (new AnomalyGptOptions { Branch = AnomalyGptBranch.ZeroShot }, TinyClip),
        ["anomalydino"] = (new AnomalyDinoOptions(), "resnet18"),
        ["anomalydino of a transformer"] = (new AnomalyDinoOptions(), TinyDino),
        ["anomalydino with registers"] = (new AnomalyDinoOptions(), TinyRegisters),
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

    [Theory]
    [InlineData("patchcore of the paper")]
    [InlineData("spade of few")]
    [InlineData("rad")]
    [InlineData("anomalydino")]
    public void Build_OfABankInParts_ScoresAsTheModel(string choice)
    {
        using var model = Fit(choice, []);
        var (graph, metadata) = OnnxExport.Build(model, "a", new(), atOnce: 15000);
        using (graph)
        {
            using var run = new OnnxRun(OnnxRun.Written(stream => OnnxFile.Write(stream, graph, metadata)));
            SameVerdicts.Check(model, run, null, Images.Take(2));
        }
    }

    [Theory]
    [InlineData("patchcore")]
    [InlineData("promptad")]
    [InlineData("subspacead")]
    [InlineData("spade")]
    [InlineData("rad")]
    [InlineData("kag with registers")]
    public void Export_In16Bits_ScoresNearly(string choice)
    {
        using var model = Fit(choice, []);
        using var run = new OnnxRun(model, new() { Precision = OnnxWeightType.Float16 });
        SameVerdicts.Check(model, run, null, Images.Take(2), 3e-4, square: 3e-4);
    }

    [Theory]
    [InlineData("patchcore")]
    [InlineData("winclip in words")]
    [InlineData("kag with registers")]
    public void Export_OfFixedSize_TakesSquares(string choice)
    {
        using var model = Fit(choice, []);
        using var run = new OnnxRun(model, new() { FixedSize = true });
        SameVerdicts.Check(model, run, null, Images.Take(2));
    }

    [Theory]
    [InlineData("winclip")]
    [InlineData("aprilgan")]
    [InlineData("anomalygpt")]
    [InlineData("promptad")]
    [InlineData("anomalydino")]
    [InlineData("patchcore")]
    [InlineData("spade")]
    public void Export_OfMemoryIn8Bits_ScoresNearly(string choice)
    {
        using var model = Fit(choice, []);
        using var run = new OnnxRun(model, new() { Quantize = OnnxQuantization.Memory });
        SameVerdicts.Check(model, run, null, Images.Take(2), 2e-3, square: 2e-3);
    }

    [Theory]
    [InlineData("subspacead")]
    [InlineData("rad")]
    [InlineData("winclip in words")]
    public void Export_OfNoMemoryFor8Bits_IsRefused(string choice)
    {
        using var model = Fit(choice, []);
        model.Invoking(one => one.ExportOnnx(Stream.Null, new() { Quantize = OnnxQuantization.Memory })).Should().Throw<NotSupportedException>()
            .WithMessage($"*Quantize: expected None for a model of method '{InspectionMethods.NameOf(model.Options.Method)}'*got Memory*Export it without*");
    }

    private void Check(string choice, Dictionary<string, InspectionRegion> regions)
    {
        using var model = Fit(choice, regions);
        using var run = new OnnxRun(model);
        run.Metadata["kagprompt.method"].Should().Be(InspectionMethods.NameOf(model.Options.Method));
        // Of regions every other picture, which are of all sizes, too.
        SameVerdicts.Check(model, run, null, Images.Where((_, i) => regions.Count == 0 || i % 2 == 1));
    }

    private KagPromptModel Fit(string choice, Dictionary<string, InspectionRegion> regions)
    {
        var options = new InspectionOptions
        {
            Method = Choices[choice].Method is AnomalyGptOptions { Branch: AnomalyGptBranch.ZeroShot } words ? words with { DecoderPath = Path.Combine(clips.Folder, Decoder) } : Choices[choice].Method,
            Backbone = new() { Name = Choices[choice].Backbone, Folders = [clips.Folder] },
            Images = new() { Size = Side },
            Regions = regions,
            Device = "cpu",
            Seed = 1,
        };
        return KagPromptTrainer.Fit(Enumerable.Range(0, 3).Select(seed => new TrainingImage { Image = TestImages.Part(Side, Side, seed), ClassName = "a" }), options);
    }

    /// <summary>Transformers of random weights, in files of their own.</summary>
    public sealed class Clips : IDisposable
    {
        public Clips()
        {
            TinyBackbones.WriteSafetensors(Path.Combine(Folder, TinyClip), TinyBackbones.Clip(1));
            TinyBackbones.WriteSafetensors(Path.Combine(Folder, TinyDino), TinyBackbones.DinoV2(2));
            TinyBackbones.WriteSafetensors(Path.Combine(Folder, TinyRegisters), TinyBackbones.DinoV2(3, registers: 4));
            TinyBackbones.WriteVocabulary(Folder);
            TinyBackbones.WriteSafetensors(Path.Combine(Folder, Decoder), Heads());
        }

        private static Dictionary<string, torch.Tensor> Heads()
        {
            using var random = new torch.Generator(4);
            return Enumerable.Range(0, 4).SelectMany(i => new[]
            {
                KeyValuePair.Create($"image_decoder.fc.{i}.weight", torch.randn([TinyBackbones.Joint, TinyBackbones.Width], generator: random)),
                KeyValuePair.Create($"image_decoder.fc.{i}.bias", torch.randn([TinyBackbones.Joint], generator: random)),
            }).ToDictionary();
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("kagprompt-onnx-").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
