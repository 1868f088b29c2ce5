using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>Maps where a class's region may leave some pixels out.</summary>
internal static class InspectedPixels
{
    /// <summary>[B, S, S] with 0 outside the region. The caller owns it.</summary>
    public static Tensor Only(Tensor maps, ClassRegion? region)
    {
        using var scope = NewDisposeScope();
        if (region is null)
        {
            return maps.alias().MoveToOuterDisposeScope();
        }

        var inside = Array.ConvertAll(region.Inspected, isInside => isInside ? 1f : 0f);
        return (maps * tensor(inside, [maps.shape[1], maps.shape[2]], device: maps.device)).MoveToOuterDisposeScope();
    }

    /// <summary>The largest value inside the region: [B, S, S] → [B]. The caller owns it.</summary>
    public static Tensor Largest(Tensor maps, ClassRegion? region)
    {
        using var scope = NewDisposeScope();
        var pixels = maps.flatten(1);
        var counted = region is null ? pixels : pixels.index_select(1, tensor(region.Pixels, device: maps.device));
        return counted.amax([1]).MoveToOuterDisposeScope();
    }
}
