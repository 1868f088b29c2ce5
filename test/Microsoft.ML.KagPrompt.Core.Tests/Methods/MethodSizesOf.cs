using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods;

/// <summary>Sizes and features of backbones that are no more than tables, as tests hand them to methods.</summary>
internal static class MethodSizesOf
{
    /// <summary>Whether cells of whole pixels make a grid of an image.</summary>
    public static bool CanTile(int grid, int side) => Steps(grid, side).Any();

    /// <summary>A backbone whose taps all have cells of whole pixels that make a grid.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static MethodSizes Tiles(int grid, int side, int joint, IReadOnlyList<int> widths)
    {
        var patch = CanTile(grid, side) ? Steps(grid, side).First()
            : throw new ArgumentException($"no cells of whole pixels make {grid} x {grid} of {side} x {side}");
        var info = new VisionTowerInfo { PatchSize = patch, TapWidths = widths, JointWidth = joint, ImageSize = side, Mean = [0, 0, 0],
            Std = [1, 1, 1] };
        return new MethodSizes(info, info, side, MapUpsampling.CellCentres, torch.CPU);
    }

    /// <summary>Taps as a backbone gives them. The caller owns the result.</summary>
    public static ScoringFeatures Features(IEnumerable<torch.Tensor> taps)
    {
        torch.Tensor[] copies = [.. taps.Select(tap => tap.clone().DetachFromDisposeScope())];
        return new ScoringFeatures(new VisionFeatures(copies, torch.zeros(copies[0].shape[0], 1).DetachFromDisposeScope()), null);
    }

    private static IEnumerable<int> Steps(int grid, int side) => Enumerable.Range(1, side).Where(pixels => side / pixels == grid);
}
