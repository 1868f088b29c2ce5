using Microsoft.ML.KagPrompt.Backbones.Published;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods.AprilGan;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.AprilGan;

/// <summary>APRIL-GAN as users reach it: models of the embedded backbone and of a tiny CLIP.</summary>
public sealed class AprilGanModelTests : IDisposable
{
    private const int Side = 56;

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-aprilgan-").FullName;

    private static InspectionOptions Options => new()
    {
        Backbone = new() { Name = "compact" }, Images = new() { Size = Side },
        Method = new AprilGanOptions { Training = new() { Epochs = 1 } }, Device = "cpu", Seed = 3,
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_SavedModel_InspectsBitForBitAlike(bool zeroShot)
    {
        using var model = KagPromptTrainer.Fit(Parts(3),
            Options with { Method = new AprilGanOptions { ZeroShot = zeroShot, Training = new() { Epochs = 1 } } });
        using var saved = new MemoryStream();
        model.Save(saved);
        saved.Position = 0;

        using var again = KagPromptModel.Load(saved, "cpu");

        var (one, other) = (model.Inspect(Query(true)), again.Inspect(Query(true)));
        other.Score.Should().Be(one.Score);
        other.Map.Should().Equal(one.Map);
        float.IsNaN(one.Unlikeness).Should().Be(zeroShot);
    }

    [Fact]
    public void Fit_OnNormalImagesAlone_LowersTheLossAndMarksADefect()
    {
        var reports = new List<TrainingProgress>();
        using var model = KagPromptTrainer.Fit(Parts(3),
            Options with { Method = new AprilGanOptions { Training = new() { Epochs = 6 } } }, progress: new Collected(reports.Add));

        var steps = reports.Where(report => report.Phase == "training").ToArray();
        steps.Should().HaveCount(6 * 8);
        float Mean(IEnumerable<TrainingProgress> some) => some.Average(step => step.Loss.Focal + step.Loss.Dice);
        Mean(steps[^8..]).Should().BeLessThan(Mean(steps[..8]) - 0.1f);
        steps.Should().OnlyContain(step => step.Loss.CrossEntropy == 0, "there is no such part");
        var (sound, defective) = (model.Inspect(Query(false)), model.Inspect(Query(true)));
        defective.Score.Should().BeGreaterThan(sound.Score);
        var peak = Array.IndexOf(defective.Map, defective.Map.Max());
        (peak / Side).Should().BeInRange(0, Side / 3, "the bar is in the upper part");
    }

    [Fact]
    public void Inspect_SupportItself_LeavesTheMapOfWordsAndHalfTheirScore()
    {
        using var words = KagPromptTrainer.Fit(Parts(2),
            Options with { Method = new AprilGanOptions { ZeroShot = true, Training = new() { Epochs = 1 } } });
        using var both = KagPromptTrainer.Fit(Parts(2), Options);
        var (map, score) = (words.Inspect(Parts(2)[0].Image).Map, words.Inspect(Parts(2)[0].Image).Score);

        var result = both.Inspect(Parts(2)[0].Image);

        result.Map.Zip(map).Max(pair => Math.Abs(pair.First - (pair.Second / 2))).Should().BeLessThan(1e-4f);
        result.Score.Should().BeApproximately((score + (map.Max() / 2)) / 2, 1e-4f);
    }

    [Theory]
    [InlineData("")]
    [InlineData("trainable_linearlayer")]
    public void Fit_FileOfHeads_TakesThemUntrained(string under)
    {
        using var first = KagPromptTrainer.Fit(Parts(2), Options);
        var heads = ((AprilGanMethod)first.Network.Method).Heads;
        TinyBackbones.WritePyTorch(In("heads.pth"), heads.Weights.ToDictionary(entry => entry.Key, entry => entry.Value.detach()),
            under.Length == 0 ? null : under);
        var reports = new List<TrainingProgress>();

        using var second = KagPromptTrainer.Fit(Parts(2), Options with { Method = new AprilGanOptions { HeadsPath = In("heads.pth") } },
            progress: new Collected(reports.Add));

        reports.Should().NotContain(report => report.Phase == "training");
        second.Inspect(Query(true)).Score.Should().Be(first.Inspect(Query(true)).Score);
    }

    [Fact]
    public void Fit_FileOfOtherHeads_SaysWhatTheyMustFit()
    {
        using var other = new LinearHeads([5, 5], 3, seed: 1);
        TinyBackbones.WritePyTorch(In("heads.pth"), other.Weights.ToDictionary(entry => entry.Key, entry => entry.Value.detach()));
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts(1),
            Options with { Method = new AprilGanOptions { HeadsPath = In("heads.pth") } }).Dispose())
            .Should().Throw<CheckpointMismatchException>().WithMessage("*heads.pth*'compact'*Backbone.Taps*missing*fc.2*");
    }

    [Fact]
    public void Fit_WithoutTrainingOrTrainedHeads_Refuses()
        => FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts(1),
            Options with { Method = new AprilGanOptions { Training = new() { Epochs = 0 } } }).Dispose())
            .Should().Throw<ArgumentException>().WithMessage("*Training.Epochs*untrained*HeadsPath*");

    [Fact]
    public void Fit_FromAModel_TakesItsHeadsAndLeavesThemAsTheyWere()
    {
        using var first = KagPromptTrainer.Fit(Parts(2), Options);
        var score = first.Inspect(Query(true)).Score;
        using var same = KagPromptTrainer.Fit(Parts(2), Options with { Method = new AprilGanOptions() }, first);
        using var trained = KagPromptTrainer.Fit(Parts(2), Options, first);

        same.Inspect(Query(true)).Score.Should().Be(score);
        trained.Inspect(Query(true)).Score.Should().NotBe(score);
        first.Inspect(Query(true)).Score.Should().Be(score);
    }

    [Fact]
    public void Fit_BackboneWithoutWords_NamesThoseThatHaveThem()
        => FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts(1), Options with { Backbone = new() { Name = "resnet18" } }).Dispose())
            .Should().Throw<ArgumentException>().WithMessage("*aprilgan*text tower*'resnet18'*'compact'*");

    [Fact]
    public void Fit_PatchesOfATransformer_TapsAsManyAsAreNamed()
    {
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), TinyBackbones.Clip(1));
        TinyBackbones.WriteVocabulary(folder);
        using var model = KagPromptTrainer.Fit(Parts(2),
            Options with { Backbone = new() { Name = In("clip.safetensors"), Taps = [2, 4] }, Images = new() { Size = 56 } });

        ((AprilGanMethod)model.Network.Method).Heads.Layers.Should().Be(2);
        model.Inspect(Query(true)).Map.Should().OnlyContain(value => value >= 0 && value <= 1);
    }

    [Theory]
    [InlineData("{}", "Gelu")]
    [InlineData("""{"model_cfg":{"vision_cfg":{}}}""", "Gelu")]
    [InlineData("""{"model_cfg":{"quick_gelu":true}}""", "QuickGelu")]
    [InlineData(null, "QuickGelu")]
    public void Open_OpenAisSizes_ComputesWhatTheConfigurationBesideSays(string? configuration, string expected)
    {
        // The authors run OpenAI's weights with the exact GELU, and their heads belong to that.
        var tensors = TinyBackbones.Clip(1);
        tensors["visual.positional_embedding"] = torch.randn(1 + (24 * 24), TinyBackbones.Width);
        TinyBackbones.WriteSafetensors(In("openai.safetensors"), tensors);
        if (configuration is not null)
        {
            File.WriteAllText(In("open_clip_config.json"), configuration);
        }

        var layout = PublishedBackbone.Open(In("openai.safetensors")).Layout;

        (layout.Vision.ImageSize, $"{layout.Vision.Activation}", $"{layout.Text!.Activation}").Should().Be((336, expected, expected));
        layout.Vision.Resampling.Should().Be(PositionResampling.BicubicAntialias);
    }

    [Fact]
    public void Inspect_SpotOutsideTheRegion_ChangesNothing_InsideItDoes()
    {
        var region = InspectionRegion.FromPolygons(112, 112, [[(56, 0), (112, 0), (112, 112), (56, 112)]]);
        using var model = KagPromptTrainer.Fit([.. Parts(2, 112)],
            Options with { Images = new() { Size = 112 }, Regions = new Dictionary<string, InspectionRegion> { ["object"] = region } });
        var clean = TestImages.Part(112, 112, 50);

        var results = model.Inspect([clean, Spotted(clean, 12), Spotted(clean, 76)], new string?[3]);

        results[1].Score.Should().BeApproximately(results[0].Score, 1e-6f);
        results[1].Map.Zip(results[0].Map).Where(pair => !pair.First.Equals(pair.Second) && !(Math.Abs(pair.First - pair.Second) < 1e-6f))
            .Should().BeEmpty();
        results[2].Score.Should().BeGreaterThan(results[0].Score);
        results[0].Map.Index().Where(pixel => float.IsNaN(pixel.Item) != (pixel.Index % 112 < 56)).Should().BeEmpty();
    }

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static TrainingImage[] Parts(int count, int side = Side)
        => [.. Enumerable.Range(0, count).Select(i => new TrainingImage { Image = TestImages.Part(side, side, i) })];

    private static PixelBuffer Query(bool defective) => TestImages.Part(Side, Side, 50, defective);

    private static PixelBuffer Spotted(PixelBuffer image, int left)
    {
        var rgb = (byte[])image.Rgb.Clone();
        for (var p = 0; p < 24 * 24; p++)
        {
            rgb.AsSpan(3 * (((50 + (p / 24)) * image.Width) + left + (p % 24)), 3).Clear();
        }

        return new PixelBuffer(image.Width, image.Height, rgb);
    }

    private string In(string name) => Path.Combine(folder, name);

    private sealed class Collected(Action<TrainingProgress> add) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => add(value);
    }
}
