using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Benchmarks.FullSize;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>ImageBind-Huge's sizes with random weights, which cost what trained ones do.</summary>
internal static class FullSizeBars
{
    private const int Rounds = 3;
    private const int Side = 224;

    /// <param name="folder">Where the random checkpoint lies, or goes.</param>
    /// <param name="vocabulary">CLIP's bpe_simple_vocab_16e6.txt.gz.</param>
    public static IEnumerable<(string Name, Bar Bar)> Measure(string folder, string vocabulary)
    {
        var directory = FullSizeRun.Prepare("imagebind-huge", folder, vocabulary, WeightType.BFloat16);
        var source = BackboneSources.Open(directory, []);
        using (var network = PublishedSchedule.Network(source, GraphVariant.Paper, Precision.Float32))
        {
            foreach (var bar in Whole(network))
            {
                yield return bar;
            }

            yield return ("tower_fraction_of_matmul_fp32", TowerFraction(network, torch.ScalarType.Float32, 0.85));
        }

        using (var network = PublishedSchedule.Network(source, GraphVariant.Paper, Precision.BFloat16))
        {
            yield return ("tower_fraction_of_matmul_bf16", TowerFraction(network, torch.ScalarType.BFloat16, 0.70));
        }

        foreach (var bar in PublishedSchedule.Ratios(directory))
        {
            yield return bar;
        }

        yield return ("save_over_write", SaveOverWrite(directory, folder));
    }

    /// <summary>The same on a CUDA device, and what a batch gains there.</summary>
    public static IEnumerable<(string Name, Bar Bar)> MeasureOn(torch.Device device, string suffix, string folder, string vocabulary)
    {
        var directory = FullSizeRun.Prepare("imagebind-huge", folder, vocabulary, WeightType.BFloat16);
        var source = BackboneSources.Open(directory, []);
        foreach (var (name, precision, type) in ((string, Precision, torch.ScalarType)[])
        [
            ("fp32", Precision.Float32, torch.ScalarType.Float32), ("bf16", Precision.BFloat16, torch.ScalarType.BFloat16),
        ])
        {
            using var network = PublishedSchedule.Network(source, GraphVariant.Paper, precision, device);
            foreach (var (bar, value) in Whole(network))
            {
                yield return ($"{bar}_{name}_{suffix}", value);
            }

            foreach (var batch in (int[])[1, 8, 32])
            {
                var fraction = TowerFraction(network, type, precision == Precision.BFloat16 ? 0.70 : 0.85, batch);
                yield return ($"tower_fraction_of_matmul_{name}_batch{batch}_{suffix}", fraction);
            }

            foreach (var batch in (int[])[1, 8])
            {
                yield return ($"full_size_images_per_second_{name}_batch{batch}_{suffix}", WholeRate(network, batch));
            }
        }

        foreach (var (name, bar) in PublishedSchedule.Ratios(directory, device))
        {
            yield return ($"{name}_{suffix}", bar);
        }
    }

    private static Bar WholeRate(InspectionNetwork network, int batch)
    {
        using var reference = Reference(network, Supports(network, 4, turned: false));
        PixelBuffer[] squares = [.. Enumerable.Range(0, batch).Select(i => network.Preprocessor.Resize(TestImages.Part(640, 480, 20 + i)))];
        return new(
            batch / Timing.Median(
                () =>
                {
                    using var encoded = network.Encode(squares);
                    using var scored = network.Score(encoded, reference);
                    _ = scored.Maps.cpu().data<float>().ToArray();
                },
                Rounds),
            double.NaN,
            "images/s");
    }

    private static IEnumerable<(string, Bar)> Whole(InspectionNetwork network)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var photograph = TestImages.Part(640, 480, 9);
        var prompt = ((KagMethod)network.Method).Prompt!;
        using var reference = Reference(network, Supports(network, 1, turned: false));
        using var images = network.Preprocessor.Normalize([network.Preprocessor.Resize(photograph)]).to(network.Encoder.Device);
        using var features = (ScoringFeatures)network.Encode([network.Preprocessor.Resize(photograph)]);
        var medians = Timing.Medians(
            Rounds,
            () =>
            {
                using var encoded = network.Encode([network.Preprocessor.Resize(photograph)]);
                using var scored = network.Score(encoded, reference);
                _ = scored.Maps.cpu().data<float>().ToArray();
            },
            () =>
            {
                foreach (var tensor in network.Encoder.Tower.Encode(images).Tensors)
                {
                    tensor.Dispose();
                }
            },
            () => prompt.Nodes(features.ForPrompt!.PromptTokens).Dispose());
        yield return ("transform_overhead_ratio", new(medians[0] / (medians[1] + medians[2]), 1.10, "ratio"));
        yield return ("graph_over_tower", new(medians[2] / medians[1], 0.6, "ratio"));
        using var turned = Reference(network, Supports(network, 4, turned: true));
        var bank = Timing.Medians(
            Rounds,
            () => network.Score(features, turned).Dispose(),
            () => network.Score(features, reference).Dispose());
        yield return ("bank_overhead", new((bank[0] - bank[1]) / medians[0], 0.05, "share of a query"));
    }

    private static Bar TowerFraction(InspectionNetwork network, torch.ScalarType type, double limit, int batch = 1)
    {
        using var images = torch.randn(batch, 3, Side, Side).to(network.Encoder.Device);
        var rate = Hardware.MatmulRate(type, network.Encoder.Device);
        var seconds = Timing.Median(
            () =>
            {
                foreach (var tensor in network.Encoder.Tower.Encode(images).Tensors)
                {
                    tensor.Dispose();
                }
            },
            Rounds);
        return new(batch * Operations / seconds / rate, limit, "share of a 2048³ product's rate", AtLeast: true);
    }

    /// <summary>Multiplications and additions of the tower's products for one image: 32 blocks of width 1280 on 257 tokens, and the stem.</summary>
    private static double Operations
    {
        get
        {
            const double Tokens = 257, Width = 1280, Depth = 32, Patch = 14;
            return (Depth * ((24 * Tokens * Width * Width) + (4 * Tokens * Tokens * Width))) + (2 * (Tokens - 1) * 3 * Patch * Patch * Width);
        }
    }

    private static Bar SaveOverWrite(string directory, string folder)
    {
        using var model = KagPromptTrainer.Fit(
            [new TrainingImage { Image = TestImages.Part(Side, Side, 1), IsSupport = true }],
            new InspectionOptions
            {
                Backbone = new() { Name = directory, Storage = BackboneStorage.Embed },
                Method = new KagOptions { Prompt = new() { FromScratch = true } },
                Device = "cpu",
            });
        var (saved, plain) = (Path.Combine(folder, "saved.kag"), Path.Combine(folder, "plain"));
        try
        {
            model.Save(saved);
            var bytes = File.ReadAllBytes(saved);
            var medians = Timing.Medians(Rounds, () => model.Save(saved), () =>
            {
                using var file = File.Create(plain);
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            });
            return new(medians[0] / medians[1], 3, "ratio");
        }
        finally
        {
            File.Delete(saved);
            File.Delete(plain);
        }
    }

    private static PixelBuffer[] Supports(InspectionNetwork network, int count, bool turned)
        => [.. Enumerable.Range(0, count).Select(i => network.Preprocessor.Resize(TestImages.Part(300, 300, i)))
            .SelectMany(square => turned ? Enumerable.Range(0, 4).Select(turns => square.Rotate90(turns)) : [square])];

    private static ClassReference Reference(InspectionNetwork network, PixelBuffer[] supports)
    {
        var patches = supports.Select(support => network.Remember([support])).ToArray();
        try
        {
            return network.Method.BuildReference(patches, torch.nn.functional.normalize(torch.randn(2, network.Encoder.Tower.Info.JointWidth)).to(network.Encoder.Device));
        }
        finally
        {
            foreach (var tensor in patches.SelectMany(layers => layers))
            {
                tensor.Dispose();
            }
        }
    }
}
