using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>From patch grids to maps of S × S pixels.</summary>
internal sealed partial class MapMaker(MapUpsampling upsampling, int imageSize)
{
    // Of less, a value would be told by what is left of a rounding.
    private const double LeastCoverage = 1e-4;

    /// <summary>[..., L] → [..., S, S] of a grid's patches.</summary>
    public Func<Tensor, Tensor> Upsampler(PatchGrid grid)
    {
        var placed = Placed(grid);
        return patches => placed.ToImage(patches, imageSize);
    }

    /// <summary>
    /// The same of the cells inside a region alone: between cells of which some lie outside, the others count the more;
    /// far from all of them it is 0.
    /// </summary>
    public Func<Tensor, Tensor> Upsampler(PatchGrid grid, SquareRegion? region)
    {
        var plain = Upsampler(grid);
        if (region is null)
        {
            return plain;
        }

        return patches =>
        {
            using var scope = NewDisposeScope();
            var cells = tensor(Weights(grid, region), device: patches.device);                                 // [L]
            return (plain(patches * cells) / plain(cells).AtLeast(LeastCoverage)).MoveToOuterDisposeScope();   // [..., S, S]
        };
    }

    /// <summary>Which pixels of a region have cells of every grid that lie inside beside them: of the others nothing is known.</summary>
    public bool[] Covered(SquareRegion region, IEnumerable<PatchGrid> grids)
    {
        using var scope = NewDisposeScope();
        var covered = region.Inside;
        foreach (var grid in grids.Distinct())
        {
            var share = Upsampler(grid)(tensor(Weights(grid, region))).data<float>().ToArray();
            covered = [.. covered.Zip(share, (isInside, part) => isInside && part > LeastCoverage)];
        }

        return covered;
    }

    /// <summary>The mean over layers, each from its own grid: [B, L_i] each → [B, S, S]. The caller owns it.</summary>
    /// <param name="layers">Values of the patches.</param>
    /// <param name="grids">Where they lie.</param>
    /// <param name="region">Whose patches count; null: all.</param>
    public Tensor Mean(IReadOnlyList<Tensor> layers, IReadOnlyList<PatchGrid> grids, SquareRegion? region = null)
    {
        using var scope = NewDisposeScope();
        Tensor? sum = null;
        for (var i = 0; i < layers.Count; i++)
        {
            var map = Upsampler(grids[i], region)(layers[i]);
            sum = sum is null ? map : sum.Plus(map);
        }

        return sum!.Times(1.0 / layers.Count).MoveToOuterDisposeScope();
    }

    /// <summary>Where cells are taken to lie.</summary>
    private PatchGrid Placed(PatchGrid grid)
        => upsampling == MapUpsampling.AlignedCorners ? PatchGrid.AlignedCorners(grid.Rows, imageSize) : grid;

    /// <summary>1 for the cells inside.</summary>
    private static float[] Weights(PatchGrid grid, SquareRegion region)
    {
        var weights = new float[grid.Rows * grid.Columns];
        foreach (var cell in region.CellsOf(grid))
        {
            weights[cell] = 1;
        }

        return weights;
    }
}
