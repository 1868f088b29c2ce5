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
    public static torch.Tensor Of(torch.Tensor layer, PatchGrid grid, IReadOnlyList<SquareRegion>? regions, double viewShare, Random random)
        => KeptRows.Of(layer, regions is null ? null : view => regions[view].CellsOf(grid), viewShare, random);
}
