using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.PatchCore;

/// <content>The same in ONNX operators.</content>
internal sealed partial class PatchCoreMethod
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var (known, region) = ((PatchCoreReference)reference, reference.Region);
        var all = embedding.Emit(stages.Emit(images, layers));                                                     // [N, L, T]
        var (cells, length) = (region?.Square.CellsOf(grid), grid.Rows * grid.Columns);
        var counted = cells is null ? all : all.Gather(1, cells);
        var count = cells?.Length ?? length;
        var (patches, scored) = scores.Emit(counted, count, known.Bank);
        var values = maps.Emit(cells is null ? patches : patches.Among(cells, length), grid, region?.Square);
        var (_, unlikeness) = known.Directions.Emit([counted], [count]);
        return new(GaussianBlur.Emit(values, imageSize, Sigma, region?.Inspected), scored, unlikeness);
    }
}
