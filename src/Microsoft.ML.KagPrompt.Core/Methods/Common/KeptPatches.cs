using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>Which patches of a support image's views a class keeps: all of the image as it is, and a share of those of its further views.</summary>
internal static class KeptPatches
{
    /// <summary>The cells of each view, by number; those outside a view's region never.</summary>
    /// <param name="views">How many views.</param>
    /// <param name="grid">Where the cells lie.</param>
    /// <param name="regions">Of each view; null: all.</param>
    /// <param name="share">Of the further views' cells, above 0 to 1.</param>
    /// <param name="random">Draws them.</param>
    public static IReadOnlyList<long[]> Draw(long views, PatchGrid grid, IReadOnlyList<SquareRegion>? regions, float share, Random random)
    {
        var all = Enumerable.Range(0, grid.Rows * grid.Columns).Select(cell => (long)cell).ToArray();
        return [.. Enumerable.Range(0, (int)views).Select(view =>
        {
            var cells = regions?[view].CellsOf(grid) ?? all;
            return view == 0 || share >= 1 ? cells : [.. cells.Where(_ => random.NextDouble() < share)];
        })];
    }

    /// <summary>[views, L, D] → the drawn patches of one view after the other, [1, n, D]. Within the caller's dispose scope.</summary>
    public static Tensor Gather(Tensor layer, IReadOnlyList<long[]> cells)
        => cat([.. cells.Select((drawn, view) => layer[view].index_select(0, tensor(drawn, device: layer.device)))], 0).unsqueeze(0);
}
