using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>Which features of a support's views a class remembers.</summary>
internal static class KeptRows
{
    /// <summary>
    /// Features of each view [views, n, D] → all of the first view and a share of the others', where only some count of those: [1, m, D].
    /// </summary>
    /// <param name="features">The features.</param>
    /// <param name="counted">Of a view, those that count, by number; null: all.</param>
    /// <param name="share">Of the views after the first, in 0..1.</param>
    /// <param name="random">Draws them.</param>
    public static Tensor Keep(Tensor features, Func<int, long[]>? counted, double share, Random random)
    {
        using var scope = NewDisposeScope();
        return WithNumbers(features, counted, share, random).Rows.MoveToOuterDisposeScope();
    }

    /// <summary>The same, and the numbers of the first view's; −1 for the others': [m], on the CPU.</summary>
    public static (Tensor Rows, Tensor Numbers) WithNumbers(Tensor features, Func<int, long[]>? counted, double share, Random random)
    {
        using var scope = NewDisposeScope();
        var numbers = new List<long>();
        var kept = new List<Tensor>();
        for (var view = 0; view < features.shape[0]; view++)
        {
            var rows = counted?.Invoke(view) ?? [.. Enumerable.Range(0, (int)features.shape[1]).Select(row => (long)row)];
            long[] drawn = view == 0 || share >= 1 ? rows : [.. rows.Where(_ => random.NextDouble() < share)];
            var all = features[view];
            kept.Add(drawn.Length == features.shape[1] ? all : all.index_select(0, tensor(drawn, device: features.device)));
            numbers.AddRange(view == 0 ? drawn : drawn.Select(_ => -1L));
        }

        return (cat(kept, 0).unsqueeze(0).MoveToOuterDisposeScope(), tensor(numbers.ToArray()).MoveToOuterDisposeScope());
    }
}
