using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>KAG-prompt's memory bank alone, on the residual network.</summary>
public sealed class MemoryBankTests(MemoryBankTests.Fitted fitted) : IClassFixture<MemoryBankTests.Fitted>
{
    private const int Side = 112;

    private static readonly PixelBuffer[] Images =
    [
        TestImages.Part(Side, Side, 7), TestImages.Part(Side, Side, 8, defective: true), TestImages.Part(300, 200, 9), TestImages.Part(97, 151, 10, defective: true),
        TestImages.Noise(160, 120, 11),
    ];

    [Fact]
    public void Export_ABankAlone_ScoresAsTheModel()
    {
        var model = fitted.Alone;
        using var run = new OnnxRun(model);
        SameVerdicts.Check(model, run, null, Images);
        model.Inspect(Images[4]).IsForeign.Should().BeTrue("else the mark is not tested");
    }

    [Fact]
    public void Export_Images_AreScoredApartInABatch()
    {
        using var run = new OnnxRun(fitted.Alone);
        var both = run.Inspect(Images[0], Images[1]);
        foreach (var (i, verdict) in both.Index())
        {
            SameVerdicts.Check(fitted.Alone.Inspect(Images[i]), verdict, $"image {i} of a batch", SameVerdicts.Square);
        }
    }

    public sealed class Fitted : IDisposable
    {
        private readonly Lazy<KagPromptModel> alone = new(() => KagPromptTrainer.Fit(Parts("a", 4), Options()));

        public KagPromptModel Alone => alone.Value;

        public void Dispose()
        {
            if (alone.IsValueCreated)
            {
                alone.Value.Dispose();
            }
        }
    }

    private static IEnumerable<TrainingImage> Parts(string className, int count, int width = 200, int height = 160)
        => Enumerable.Range(0, count).Select(seed => new TrainingImage { Image = TestImages.Part(width, height, seed), ClassName = className });

    private static InspectionOptions Options() => new()
    {
        Method = new KagOptions { Prompt = new() { FromScratch = true }, Training = new() { Epochs = 0 } },
        Backbone = new() { Name = "resnet18" },
        Images = new() { Size = Side },
        Device = "cpu",
        Seed = 1,
    };
}
