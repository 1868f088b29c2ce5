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
    {
        var kept = new List<torch.Tensor>();
        for (var view = 0; view < layer.shape[0]; view++)
        {
            var cells = regions?[view].CellsOf(grid) ?? [.. Enumerable.Range(0, (int)layer.shape[1]).Select(cell => (long)cell)];
            var share = view == 0 ? 1 : viewShare;
            long[] drawn = share >= 1 ? cells : [.. cells.Where(_ => random.NextDouble() < share)];
            kept.Add(drawn.Length == layer.shape[1] ? layer[view] : layer[view].index_select(0, torch.tensor(drawn, device: layer.device)));
        }

        return torch.cat(kept, 0).unsqueeze(0);
    }
}
