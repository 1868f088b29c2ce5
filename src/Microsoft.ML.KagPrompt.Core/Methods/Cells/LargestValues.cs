using Microsoft.ML.KagPrompt.Methods.Common;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Cells;

/// <summary>The mean of a share of values, the largest; of at least one.</summary>
internal static class LargestValues
{
    /// <summary>[B, n] → [B]. The caller owns it.</summary>
    public static Tensor Mean(Tensor values, double share)
    {
        using var scope = NewDisposeScope();
        var (largest, _) = values.topk(Count(values.shape[1], share), dim: 1, sorted: false);
        return largest.mean([1]).MoveToOuterDisposeScope();
    }

    /// <summary>Of the inspected pixels of maps: [B, S, S] → [B]. The caller owns it.</summary>
    public static Tensor Mean(Tensor maps, double share, ClassRegion? region)
    {
        using var scope = NewDisposeScope();
        var pixels = maps.flatten(1);
        return Mean(region is null ? pixels : pixels.index_select(1, tensor(region.Pixels, device: maps.device)), share)
            .MoveToOuterDisposeScope();
    }

    /// <summary>How many values a share is.</summary>
    public static int Count(long values, double share) => (int)Math.Max(1, share * values);
}
