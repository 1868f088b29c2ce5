using BenchmarkDotNet.Attributes;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Benchmarks;

/// <summary>Sixteen images through a model, by how many pass through the network at once, and without the graph.</summary>
public class InspectionBenchmarks
{
    private KagPromptModel trained = null!;
    private KagPromptModel bankOnly = null!;
    private PixelBuffer[] images = null!;

    [GlobalSetup]
    public void SetUp()
    {
        var parts = Enumerable.Range(0, 4).Select(i => new TrainingImage { Image = TestImages.Part(224, 224, i) }).ToArray();
        var options = new FitChoices { Epochs = 1, Device = "cpu", Seed = 1 };
        trained = KagPromptTrainer.Fit(parts, options);
        bankOnly = KagPromptTrainer.Fit(parts, options with { Epochs = 0, FromScratch = true });
        images = [.. Enumerable.Range(10, 16).Select(i => TestImages.Part(224, 224, i))];
    }

    [Benchmark(Baseline = true, Description = "one by one")]
    public void OneByOne() => Inspect(trained, 1);

    [Benchmark(Description = "4 at once")]
    public void Four() => Inspect(trained, 4);

    [Benchmark(Description = "8 at once")]
    public void Eight() => Inspect(trained, 8);

    [Benchmark(Description = "16 at once")]
    public void Sixteen() => Inspect(trained, 16);

    [Benchmark(Description = "8 at once, bank only")]
    public void BankOnly() => Inspect(bankOnly, 8);

    [GlobalCleanup]
    public void CleanUp()
    {
        trained.Dispose();
        bankOnly.Dispose();
    }

    private void Inspect(KagPromptModel model, int batch)
    {
        foreach (var chunk in images.Chunk(batch))
        {
            model.Inspect(chunk, new string?[chunk.Length]);
        }
    }
}
