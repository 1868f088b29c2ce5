using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.AprilGan;

/// <content>The same in ONNX operators.</content>
internal sealed partial class AprilGanMethod
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var (seen, known, region) = (images.ForMemory, (WordsAndBank)reference, reference.Region);
        OnnxValue ToImage(OnnxValue patches, int layer) => maps.Emit(patches, grids[layer], region?.Square);
        var zeroShot = seen.PatchTokens
            .Select((tokens, layer) => ToImage(AprilGanMaps.Emit(heads.Emit(layer, tokens), known.TextFeatures), layer).Sigmoid())
            .Aggregate((sum, map) => sum + map);
        var words = AprilGanMaps.Emit(seen.ImageEmbedding.UnitLength(-1), known.TextFeatures).Sigmoid();
        if (known.Bank is null)
        {
            return new((zeroShot * (1.0 / grids.Count)).Only(region), words, null);
        }

        var (distances, unlikeness) = known.Bank.Emit(seen.PatchTokens, [.. grids.Select(grid => grid.Rows * grid.Columns)],
            region is null ? null : [.. grids.Select(region.Square.CellsOf)]);
        var visual = distances.Select(ToImage).Aggregate((sum, map) => sum + map);
        var map = ((zeroShot + visual) * (1.0 / (2 * grids.Count))).Only(region);
        return new(map, (words + map.LargestPixel(region)) * 0.5, unlikeness);
    }
}
