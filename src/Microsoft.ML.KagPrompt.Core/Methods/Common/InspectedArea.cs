using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>What a class's region leaves of maps [B, S, S]. Results are the caller's.</summary>
internal static class InspectedArea
{
    /// <summary>The maps, 0 where nothing is inspected.</summary>
    public static Tensor Cut(Tensor maps, ClassRegion? region)
    {
        using var scope = NewDisposeScope();
        return (region is null ? maps.alias() : maps * Mask(region, maps.shape[^1], maps.device)).MoveToOuterDisposeScope();
    }

    /// <summary>The largest inspected value of each map: [B].</summary>
    public static Tensor Largest(Tensor maps, ClassRegion? region)
    {
        using var scope = NewDisposeScope();
        return Pixels(maps, region).amax([1]).MoveToOuterDisposeScope();
    }

    /// <summary>The mean of a share of each map's inspected values, the largest, at least one: [B].</summary>
    public static Tensor LargestMean(Tensor maps, double share, ClassRegion? region)
    {
        using var scope = NewDisposeScope();
        return LargestMean(Pixels(maps, region), share).MoveToOuterDisposeScope();
    }

    /// <summary>The same of rows [B, n]: [B].</summary>
    public static Tensor LargestMean(Tensor rows, double share)
    {
        using var scope = NewDisposeScope();
        var (values, _) = rows.topk((int)Math.Max(1, share * rows.shape[1]), dim: 1, sorted: false);
        return values.mean([1]).MoveToOuterDisposeScope();
    }

    /// <summary>1 where inspected: [S, S].</summary>
    private static Tensor Mask(ClassRegion region, long side, Device device)
        => tensor(Array.ConvertAll(region.Inspected, isInside => isInside ? 1f : 0f), [side, side], device: device);

    private static Tensor Pixels(Tensor maps, ClassRegion? region)
        => region is null ? maps.flatten(1) : maps.flatten(1).index_select(1, tensor(region.Pixels, device: maps.device));
}
