using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>The same figures on a CUDA device, where there is one, with what that device can do at best beside them.</summary>
internal static class GpuBars
{
    private const string Suffix = "cuda";

    // A product that fills a large card; the processor's is too small for one.
    private const long LargeSide = 8192;

    /// <param name="folder">Where full-size files go; null: full-size parts are left out.</param>
    /// <param name="vocabulary">CLIP's bpe_simple_vocab_16e6.txt.gz; null: full-size parts are left out.</param>
    public static IEnumerable<(string Name, Bar Bar)> Measure(string? folder, string? vocabulary)
    {
        if (!torch.cuda.is_available())
        {
            yield break;
        }

        Timing.UsesGpu = true;
        var device = torch.device(DeviceType.CUDA, 0);
        foreach (var (name, type) in ((string, torch.ScalarType)[])[("fp32", torch.ScalarType.Float32), ("bf16", torch.ScalarType.BFloat16)])
        {
            yield return ($"matmul_{name}_{Suffix}", new(Hardware.MatmulRate(type, device) / 1e9, double.NaN, "GFLOP/s"));
            yield return ($"matmul_{name}_8192_{Suffix}", new(Hardware.MatmulRate(type, device, LargeSide) / 1e9, double.NaN, "GFLOP/s"));
        }

        yield return ($"copy_{Suffix}", new(Hardware.CopyRate(device) / 1e9, double.NaN, "GB/s read and written"));
        using (var embedded = new EmbeddedBars("cuda:0"))
        {
            foreach (var bar in embedded.Compare(Suffix))
            {
                yield return bar;
            }
        }

        foreach (var bar in Differences())
        {
            yield return bar;
        }

        if (folder is not null && vocabulary is not null)
        {
            foreach (var bar in FullSizeBars.MeasureOn(device, Suffix, folder, vocabulary))
            {
                yield return bar;
            }
        }

        Timing.UsesGpu = false;
    }

    /// <summary>Largest differences of scores and of map values to the processor's, with convolutions in TF32 and in whole 32 bit.</summary>
    private static IEnumerable<(string Name, Bar Bar)> Differences()
    {
        var images = Enumerable.Range(50, 16).Select(i => TestImages.Part(224, 224, i, defective: i % 2 == 1)).ToArray();
        Inspection[] By(KagPromptModel model) => [.. images.Select(image => model.Inspect(image))];
        foreach (var backbone in (string[])["compact", "resnet18"])
        {
            using var model = KagPromptTrainer.Fit(
                Enumerable.Range(0, 4).Select(i => new TrainingImage { Image = TestImages.Part(224, 224, i), IsSupport = true }),
                new InspectionOptions { Backbone = new() { Name = backbone }, Device = "cpu", Seed = 1 });
            using var saved = new MemoryStream();
            model.Save(saved);
            saved.Position = 0;
            using var there = KagPromptModel.Load(saved, "cuda:0");
            var expected = By(model);
            foreach (var (name, rounds) in ((string, bool)[])[("tf32", true), ("fp32", false)])
            {
                torch.backends.cudnn.allow_tf32 = rounds;
                var pairs = expected.Zip(By(there)).ToArray();
                yield return ($"score_difference_{backbone}_{name}_{Suffix}",
                    new(pairs.Max(pair => Math.Abs(pair.First.Score - pair.Second.Score)), double.NaN, "score"));
                yield return ($"map_difference_{backbone}_{name}_{Suffix}",
                    new(pairs.Max(pair => pair.First.Map.Zip(pair.Second.Map, (a, b) => Math.Abs(a - b)).Max()), double.NaN, "map value"));
            }

            torch.backends.cudnn.allow_tf32 = true;
        }
    }
}
