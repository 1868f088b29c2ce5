using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>Which patches of a support image's views are remembered.</summary>
internal static class KeptPatches
{
    /// <summary>
    /// [views, L, D] → all patches of the first view and a share of the others', where there are regions of those inside: [1, n, D].
    /// </summary>
    public static torch.Tensor Keep(
        torch.Tensor layer, PatchGrid grid, IReadOnlyList<SquareRegion>? regions, double viewShare, Random random)
        => KeptRows.Keep(layer, CellsOf(grid, regions), viewShare, random);

    /// <summary>The same, and the cells that the first view's come from; −1 for the others': [n], on the CPU.</summary>
    public static (torch.Tensor Patches, torch.Tensor Cells) WithCells(
        torch.Tensor layer, PatchGrid grid, IReadOnlyList<SquareRegion>? regions, double viewShare, Random random)
        => KeptRows.WithNumbers(layer, CellsOf(grid, regions), viewShare, random);

    private static Func<int, long[]>? CellsOf(PatchGrid grid, IReadOnlyList<SquareRegion>? regions)
        => regions is null ? null : view => regions[view].CellsOf(grid);
}
