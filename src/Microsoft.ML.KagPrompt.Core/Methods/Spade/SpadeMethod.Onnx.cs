using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.Spade;

/// <content>The same in ONNX operators.</content>
internal sealed partial class SpadeMethod
{
    public MethodGraph Emit(EncoderGraph images, ClassReference reference)
    {
        var (known, encoded, region) = ((SpadeReference)reference, stages.Emit(images, layers), reference.Region);
        var gallery = known.Gallery(options.LosesRemainder);
        var (distances, retrieved) = gallery.EmitRetrieval(encoded.Descriptor, options.Neighbours);                  // [N, K]
        OnnxValue[] tokens = [.. encoded.Maps.Select(map => map.Tokens())];
        var values = tokens.Select((own, layer) =>
        {
            var (cells, length) = (region?.Square.CellsOf(grids[layer]), grids[layer].Rows * grids[layer].Columns);
            return cells is null ? gallery.Emit(layer, own, length, retrieved)
                : gallery.Emit(layer, own.Gather(1, cells), cells.Length, retrieved).Among(cells, length);
        }).ToArray();
        var map = GaussianBlur.Emit(maps.Emit(values, grids, region?.Square), imageSize, Sigma, region?.Inspected);
        var (_, unlikeness) = known.Directions.Emit([tokens[^1]], [grids[^1].Rows * grids[^1].Columns],
            region is null ? null : [region.Square.CellsOf(grids[^1])]);
        return new(map, distances.Mean(1), unlikeness);
    }
}
