using System.Diagnostics;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>What training on the processor takes beside the arithmetic that it needs.</summary>
internal static class TrainingBars
{
    private const int Side = 224;
    private const int Images = 100;
    private const int Epochs = 10;

    // An epoch is as long as the one before, but for the first, which encodes the normal images, too.
    private const int Measured = 3;

    /// <summary>
    /// Ten epochs over a hundred images with their twins, embedded compact backbone with its prompt, over the operations they need at the
    /// rate of a 2048³ product. Of the ten the first three are run.
    /// </summary>
    public static Bar OverMatmul()
    {
        var parts = Enumerable.Range(0, Images).Select(i => new TrainingImage { Image = TestImages.Part(Side, Side, i) }).ToArray();
        using var model = KagPromptTrainer.Fit(parts.Take(4), new InspectionOptions
        {
            Backbone = new() { Name = "compact" },
            Method = new KagOptions(),
            Device = "cpu",
            Seed = 1,
        });
        ProductImage[] normal = [.. FitSet.Read(parts, model.Network.Preprocessor, _ => { }, default).Normal];
        var text = model.Classes.ToDictionary(entry => entry.Key, entry => entry.Value.Reference.Value.TextFeatures!);
        var method = (KagMethod)model.Network.Method;
        var options = new KagOptions { Training = new() { Epochs = Measured } };
        var (ends, rates) = (new double[Measured + 1], new List<double>());
        var watch = new Stopwatch();
        void Rate()
        {
            watch.Stop();
            rates.Add(Hardware.MatmulRate(torch.ScalarType.Float32));
            watch.Start();
        }

        Rate();
        watch.Restart();
        new GraphTrainer(options, method.Sizes, method.Prompt!, model.Network.Encoder, text, startsTrained: true)
            .Train(normal, new Dictionary<string, SynthesisOptions>(), seed: 1, Report, default);
        var later = (ends[Measured] - ends[1]) / (Measured - 1);
        var operations = TrainingOperations.Count(CompactVisionConfig.Parse(model.Network.Encoder.Tower.ConfigurationJson),
            method.Prompt!.Config, Side, Images, Epochs);
        return new((ends[1] + ((Epochs - 1) * later)) * rates.Average() / operations, 1.4,
            $"ratio ({Epochs} epochs reckoned from the first {Measured})");

        void Report(TrainingProgress progress)
        {
            var isLast = progress.Done * Measured % progress.Total == 0;
            if (isLast)
            {
                ends[progress.Epoch] = watch.Elapsed.TotalSeconds;
                // Beside each epoch, for the machine may have other work by now.
                Rate();
            }
        }
    }
}
