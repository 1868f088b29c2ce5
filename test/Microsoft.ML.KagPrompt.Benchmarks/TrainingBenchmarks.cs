using BenchmarkDotNet.Attributes;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks;

/// <summary>One epoch of 64 pairs in steps of 8, by how many pairs pass through the graph at once.</summary>
public class TrainingBenchmarks
{
    private KagPromptModel model = null!;
    private FitImage[] normal = null!;
    private Dictionary<string, torch.Tensor> text = null!;

    [GlobalSetup]
    public void SetUp()
    {
        var parts = Enumerable.Range(0, 64).Select(i => new TrainingImage { Image = TestImages.Part(224, 224, i) }).ToArray();
        model = KagPromptTrainer.Fit(parts, new FitChoices { Epochs = 1, Device = "cpu", Seed = 1 });
        normal = [.. FitSet.Read(parts, model.Network.Preprocessor, _ => { }, default).Normal];
        text = model.Classes.ToDictionary(entry => entry.Key, entry => entry.Value.Reference.Value.TextFeatures!);
    }

    [Benchmark(Baseline = true, Description = "8 pairs at once")]
    public void AllAtOnce() => Epoch(8);

    [Benchmark(Description = "4, as the library")]
    public void Four() => Epoch(4);

    [Benchmark(Description = "2")]
    public void Two() => Epoch(2);

    [GlobalCleanup]
    public void CleanUp() => model.Dispose();

    private void Epoch(int pairsPerPass)
    {
        var method = (KagMethod)model.Network.Method;
        new GraphTrainer((KagOptions)model.Options.Method, method.Sizes, method.Prompt!, model.Network.Encoder, text, pairsPerPass)
            .Train(normal, new Dictionary<string, SynthesisOptions>(), seed: 1, _ => { }, default);
    }
}
