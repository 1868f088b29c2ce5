using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// Nearest rows of a bank by Euclidean distance. Found by one matrix product, then measured exactly: |q|² + |b|² − 2 q·b cancels near 0.
/// </summary>
internal static class NearestNeighbours
{
    // Products held at a time: on a processor as many as its caches hold.
    private const long ProcessorBlock = 1 << 20;
    private const long DeviceBlock = 1 << 26;

    /// <summary>The nearest rows of each query, nearest first, and their squared distances: [Q, k] each. The caller owns them.</summary>
    /// <param name="queries">[Q, D].</param>
    /// <param name="bank">[M, D].</param>
    /// <param name="count">k; of a smaller bank, all rows.</param>
    public static (Tensor Squared, Tensor Rows) Find(Tensor queries, Tensor bank, int count)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var most = Math.Min(count, bank.shape[0]);
        var halves = bank.Squared().sum(1).Times(0.5);                                          // [M]
        var step = Math.Max(1, (queries.device_type == DeviceType.CPU ? ProcessorBlock : DeviceBlock) / queries.shape[0]);
        Tensor? best = null;
        Tensor? rows = null;
        for (var first = 0L; first < bank.shape[0]; first += step)
        {
            using var inner = NewDisposeScope();
            var size = Math.Min(step, bank.shape[0] - first);
            // [Q, rows], largest is nearest
            var nearness = queries.matmul(bank.narrow(0, first, size).t()).Minus(halves.narrow(0, first, size));
            var (values, indexes) = nearness.topk((int)Math.Min(most, size), 1);
            indexes = indexes.Plus(tensor(first, device: indexes.device));
            if (best is not null)
            {
                (values, var kept) = cat([best, values], 1).topk((int)Math.Min(most, best.shape[1] + values.shape[1]), 1);
                indexes = cat([rows!, indexes], 1).gather(1, kept);
            }

            (best, rows) = (values.MoveToOuterDisposeScope(), indexes.MoveToOuterDisposeScope());
        }

        return (Measure(queries, bank, rows!).MoveToOuterDisposeScope(), rows!.MoveToOuterDisposeScope());
    }

    /// <summary>Squared distances to named rows: [Q, k]. The caller owns them.</summary>
    public static Tensor Measure(Tensor queries, Tensor bank, Tensor rows)
    {
        using var scope = NewDisposeScope();
        var squared = Enumerable.Range(0, (int)rows.shape[1])
            .Select(k => queries.Minus(bank.index_select(0, rows.select(1, k))).Squared().sum(1));
        return stack([.. squared], 1).MoveToOuterDisposeScope();
    }
}
