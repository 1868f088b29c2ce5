using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.Cells;

/// <content>The same in ONNX operators.</content>
internal abstract partial class PatchScorer
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var (region, count) = (reference.Region, Joined.Grid.Rows * Joined.Grid.Columns);
        var cells = Joined.Emit(images.ForMemory.PatchTokens);                                                      // [N, L, D]
        var inspected = region?.Square.CellsOf(Joined.Grid) ?? [.. Enumerable.Range(0, count).Select(cell => (long)cell)];
        var (values, unlikeness) = Measure(region is null ? cells : cells.Gather(1, inspected), inspected, reference);
        var all = region is null ? values : values.Among(inspected, count);
        var map = maps.Emit(all, Joined.Grid, region?.Square).Only(region);
        var smooth = options.MapSigma == 0 ? map : GaussianBlur.Emit(map, sizes.ImageSize, options.MapSigma, region?.Inspected);
        return new(smooth, values.MeanOfLargest(LargestValues.Count(inspected.Length, options.TopShare)), unlikeness);
    }

    /// <summary>As the other, in ONNX operators: [N, n, D] → [N, n] and [N].</summary>
    protected abstract (OnnxValue Values, OnnxValue? Unlikeness) Measure(OnnxValue cells, long[] places, ClassReference reference);
}
