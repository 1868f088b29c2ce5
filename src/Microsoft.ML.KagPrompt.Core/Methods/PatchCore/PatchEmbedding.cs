using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.PatchCore;

/// <summary>
/// From feature maps to one vector a patch: 3 × 3 blocks, averaged to D numbers a stage, brought to the first stage's grid, averaged
/// together to T.
/// </summary>
/// <param name="stageWidth">D.</param>
/// <param name="embeddingWidth">T.</param>
internal sealed class PatchEmbedding(int stageWidth, int embeddingWidth)
{
    private const int PatchSide = 3;

    /// <summary>
    /// The block of 3 × 3 cells around each cell, beyond the edges 0: [B, C, h, w] → [B, h·w, C·9], channels slowest, then the block's
    /// rows. The caller owns it.
    /// </summary>
    public static Tensor Unfold(Tensor map)
    {
        using var scope = NewDisposeScope();
        return functional.unfold(map, (PatchSide, PatchSide), padding: (PatchSide / 2, PatchSide / 2)).transpose(1, 2)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Patches of a coarser map at the places of a finer one's: [B, h·w, n] → [B, H·W, n], linear between. The caller owns it.
    /// </summary>
    public static Tensor Resize(Tensor patches, int rows, int columns, int finerRows, int finerColumns)
    {
        if ((rows, columns) == (finerRows, finerColumns))
        {
            return patches.alias();
        }

        using var scope = NewDisposeScope();
        var planes = PatchGrid.HalfPixel(rows, columns, finerRows, finerColumns).ToImage(patches.transpose(1, 2), finerRows, finerColumns);
        return planes.flatten(2).transpose(1, 2).MoveToOuterDisposeScope();
    }

    /// <summary>Each stage's numbers of each patch, all on the first stage's grid: [B, L, stages, D]. The caller owns it.</summary>
    /// <param name="maps">[B, C_i, h_i, w_i].</param>
    public Tensor MeanMap(IReadOnlyList<Tensor> maps)
    {
        using var scope = NewDisposeScope();
        // Averaging before enlarging gives the same numbers as the published order, at a fraction of the memory: both are linear.
        var (rows, columns) = ((int)maps[0].shape[2], (int)maps[0].shape[3]);
        var pooled = maps.Select(map => Resize(AdaptivePooling.Average(Unfold(map), stageWidth), (int)map.shape[2], (int)map.shape[3],
            rows, columns));
        return stack([.. pooled], 2).MoveToOuterDisposeScope();
    }

    /// <summary>The embeddings: [B, L, T]. The caller owns them.</summary>
    /// <param name="maps">[B, C_i, h_i, w_i].</param>
    public Tensor Embed(IReadOnlyList<Tensor> maps)
    {
        using var scope = NewDisposeScope();
        return AdaptivePooling.Average(MeanMap(maps).flatten(2), embeddingWidth).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary><see cref="Embed"/> in ONNX operators: [N, L, T].</summary>
    public OnnxValue Emit(StageValues stages)
    {
        var side = stages.Sides[0];
        var pooled = stages.Maps.Select((map, i) =>
        {
            var (own, inputs) = (stages.Sides[i], PatchSide * PatchSide * stages.Widths[i]);
            var patches = AdaptivePooling.Emit(Unfold(map, own, inputs), inputs, stageWidth);
            return own == side ? patches
                : PatchGrid.HalfPixel(own, own, side, side).ToImage(patches.AsMap(own), side, side).Tokens();
        }).ToArray();
        return AdaptivePooling.Emit(pooled.Concat(2), pooled.Length * stageWidth, embeddingWidth);
    }

    /// <summary><see cref="Unfold(Tensor)"/> in ONNX operators: nine shifted maps side by side.</summary>
    private static OnnxValue Unfold(OnnxValue map, int side, int width)
    {
        const int Edge = PatchSide / 2;
        var padded = map.Graph.Node("Pad", [map, map.Graph.Whole(0, 0, Edge, Edge, 0, 0, Edge, Edge), map.Graph.Constant(0)]);
        var shifted = Enumerable.Range(0, PatchSide * PatchSide).Select(place
            => padded.Narrow(2, place / PatchSide, side).Narrow(3, place % PatchSide, side).Unsqueeze(2)).ToArray();
        return shifted.Concat(2).Reshape(0, width, -1).Swap();                                      // [N, h·w, C·9]
    }
}
