using System.Text.Json;
using System.Text.Json.Nodes;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>What is measured.</summary>
internal enum BarPart
{
    All,
    Gpu,
    Training,
    Onnx,
}

/// <summary>
/// Every figure that this version must reach, as one JSON object on standard output: name → value, bar, unit, whether it holds. First what the
/// machine can do at best; progress goes to the error stream.
/// </summary>
internal static class BarRun
{
    /// <param name="isQuick">Whether full-size parts are left out.</param>
    /// <param name="vocabulary">CLIP's bpe_simple_vocab_16e6.txt.gz; null: full-size parts are left out.</param>
    /// <param name="folder">Where full-size files go: six gigabytes.</param>
    /// <param name="photographs">Folders of data sets of real photographs; where there are none, what needs them is left out.</param>
    /// <param name="alone">The part that is measured alone; <see cref="BarPart.All"/>: none is.</param>
    public static void Run(bool isQuick, BarPart alone, string? vocabulary, string folder, IReadOnlyList<string> photographs)
    {
        var result = new JsonObject();
        void Tell(string name, Bar bar)
        {
            var entry = new JsonObject { ["value"] = Number(bar.Value), ["bar"] = Number(bar.Limit), ["unit"] = bar.Unit };
            if (bar.Holds is { } holds)
            {
                entry["holds"] = holds;
            }

            result[name] = entry;
            Console.Error.WriteLine(FormattableString.Invariant($"{name}: {bar.Value:0.###} {bar.Unit} (bar {bar.Limit})"));
        }

        if (alone is BarPart.All or BarPart.Gpu)
        {
            foreach (var (name, bar) in GpuBars.Measure(isQuick ? null : folder, vocabulary))
            {
                Tell(name, bar);
            }
        }

        if (alone == BarPart.Gpu)
        {
            Print(result);
            return;
        }

        Tell("matmul_fp32", new(Hardware.MatmulRate(torch.ScalarType.Float32) / 1e9, double.NaN, "GFLOP/s"));
        if (alone == BarPart.Onnx)
        {
            using var embedded = new EmbeddedBars();
            foreach (var (name, bar) in embedded.Start().Concat(OnnxBars.Measure()))
            {
                Tell(name, bar);
            }

            Print(result);
            return;
        }

        Tell("train_over_matmul_100x10", TrainingBars.OverMatmul());
        if (alone == BarPart.Training)
        {
            Print(result);
            return;
        }

        Tell("matmul_bf16", new(Hardware.MatmulRate(torch.ScalarType.BFloat16) / 1e9, double.NaN, "GFLOP/s"));
        Tell("copy", new(Hardware.CopyRate() / 1e9, double.NaN, "GB/s read and written"));
        using (var embedded = new EmbeddedBars())
        {
            foreach (var (name, bar) in embedded.Measure())
            {
                Tell(name, bar);
            }
        }

        foreach (var (name, bar) in OnnxBars.Measure())
        {
            Tell(name, bar);
        }

        if (photographs.Count > 0)
        {
            Tell("coreset_auroc_loss", CoresetBars.Loss(photographs));
        }
        else
        {
            Console.Error.WriteLine("coreset_auroc_loss is left out: expected --photographs DIR[,DIR], data sets of real products.");
        }

        if (!isQuick && vocabulary is null)
        {
            Console.Error.WriteLine("Full-size parts are left out: expected --vocabulary FILE, CLIP's bpe_simple_vocab_16e6.txt.gz.");
        }

        foreach (var (name, bar) in isQuick || vocabulary is null ? [] : FullSizeBars.Measure(folder, vocabulary))
        {
            Tell(name, bar);
        }

        Print(result);
    }

    private static void Print(JsonObject result) => Console.WriteLine(result.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));

    private static JsonNode? Number(double value) => double.IsNaN(value) ? null : JsonValue.Create(Math.Round(value, 7));
}
