using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <content>The same in ONNX operators.</content>
internal sealed partial class MapMaker
{
    /// <summary>As <see cref="Upsampler(PatchGrid, SquareRegion)"/>: [N, L] → [N, S, S].</summary>
    public OnnxValue Emit(OnnxValue patches, PatchGrid grid, SquareRegion? region)
    {
        if (region is null)
        {
            return Plain(patches, grid);
        }

        using var scope = NewDisposeScope();
        var inside = Weights(grid, region);
        var coverage = Upsampler(grid)(tensor(inside)).AtLeast(LeastCoverage);
        return Plain(patches * patches.Graph.Constant(inside, inside.Length), grid) / patches.Graph.Constant(coverage);
    }

    /// <summary>As <see cref="Mean"/>: [N, L_i] each → [N, S, S].</summary>
    public OnnxValue Emit(IReadOnlyList<OnnxValue> layers, IReadOnlyList<PatchGrid> grids, SquareRegion? region)
        => layers.Select((layer, i) => Emit(layer, grids[i], region)).Aggregate((sum, map) => sum + map) * (1.0 / layers.Count);

    private OnnxValue Plain(OnnxValue patches, PatchGrid grid)
        => Placed(grid).ToImage(patches.Reshape(-1, grid.Rows, grid.Columns), imageSize, imageSize);
}
