using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.PromptAd;

/// <content>The same in ONNX operators.</content>
internal sealed partial class PromptAdMethod
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var (known, region, grid) = ((PromptAdReference)reference, reference.Region, Grid);
        var encoded = EncoderGraph.As<IValuePathGraph>(images.Tower).EmitValuePath(images.Images, sizes.ImageSize, BankBlocks);
        var (cells, length) = (region?.Square.CellsOf(grid), grid.Rows * grid.Columns);
        var (distances, unlikeness) = known.Bank.Emit(encoded.Attended, [length, length], cells is null ? null : [cells, cells]);
        var visual = (distances.Aggregate((sum, layer) => sum + layer) * (0.5 / distances.Count)).AtLeast(0);           // [N, L]
        OnnxValue ToImage(OnnxValue patches) => maps.Emit(patches, grid, region?.Square);
        var values = PromptAdMaps.Emit(PromptAdMaps.Emit(encoded.PatchEmbeddings, known.ForPatches), visual);
        var fused = ToImage(values).Only(region);
        var map = options.MapSigma == 0 ? fused : GaussianBlur.Emit(fused, sizes.ImageSize, options.MapSigma, region?.Inspected);
        return new(map, PromptAdMaps.Emit(ToImage(visual).LargestPixel(region), PromptAdMaps.Emit(encoded.ImageEmbedding, known.ForImages)),
            unlikeness);
    }
}
