using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>From patch grids to maps of S × S pixels.</summary>
internal sealed class MapMaker(MapUpsampling upsampling, int imageSize)
{
    /// <summary>[..., L] → [..., S, S] of a grid's patches.</summary>
    public Func<Tensor, Tensor> Upsampler(PatchGrid grid)
    {
        var placed = upsampling == MapUpsampling.AlignedCorners ? PatchGrid.AlignedCorners(grid.Rows, imageSize) : grid;
        return patches => placed.ToImage(patches, imageSize);
    }

    /// <summary>The mean over layers, each from its own grid: [B, L_i] each → [B, S, S]. The caller owns it.</summary>
    public Tensor Mean(IReadOnlyList<Tensor> layers, IReadOnlyList<PatchGrid> grids)
    {
        using var scope = NewDisposeScope();
        Tensor? sum = null;
        for (var i = 0; i < layers.Count; i++)
        {
            var map = Upsampler(grids[i])(layers[i]);
            sum = sum is null ? map : sum.Plus(map);
        }

        return sum!.Times(1.0 / layers.Count).MoveToOuterDisposeScope();
    }
}
