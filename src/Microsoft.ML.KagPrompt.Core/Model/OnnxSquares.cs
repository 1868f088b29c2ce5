using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Onnx;
using static Microsoft.ML.KagPrompt.Onnx.OnnxGraph;
using static Microsoft.ML.KagPrompt.Onnx.Schema.TensorProto.Types;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>In ONNX operators what <see cref="ImagePreprocessor.Resize"/> and <see cref="SquareRegion.Cut"/> do.</summary>
internal static class OnnxSquares
{
    /// <summary>Photographs [N, H, W, 3] of 8 bits → [N, 3, S, S] of 8 bits.</summary>
    public static OnnxValue Resized(OnnxValue images, int side, ResizeMode mode)
    {
        var planes = images.Permute(0, 3, 1, 2);
        if (mode == ResizeMode.Stretch)
        {
            return Resize(planes, images.Graph.Whole(side, side));
        }

        // As ResizeGeometry: the short side to S, the long one truncated; the crop begins in the middle, rounded half to even.
        var sides = images.Graph.Node("Shape", [images], Attr("start", 1), Attr("end", 3));                         // [2]: H, W
        var graph = images.Graph;
        var resized = (sides * graph.Whole(side)) / sides.Least(0);
        var first = ((resized - graph.Whole(side)).Cast(DataType.Float) / 2).Round().Cast(DataType.Int64);
        var end = first + graph.Whole(side);
        return graph.Node("Slice", [Resize(planes, resized), first, end, graph.Whole(2, 3)]);
    }

    /// <summary>Squares [N, 3, S, S] that show nothing outside a region, as 32-bit numbers 0 to 255.</summary>
    public static OnnxValue Cut(OnnxValue squares, SquareRegion? region)
    {
        var graph = squares.Graph;
        if (region is null)
        {
            return squares;
        }

        var side = (long)Math.Sqrt(region.Inside.Length);
        return graph.Constant(region.Inside, 1, 1, side, side)
            .Where(squares, graph.Constant([.. region.Blank.Select(value => (float)value)], 1, 3, 1, 1));
    }

    /// <summary>
    /// Bicubic with antialiasing on 8 bits, rows and columns rounded apart: Pillow's rule, as far as a runtime follows the standard. What
    /// has the size already stays as it is.
    /// </summary>
    private static OnnxValue Resize(OnnxValue planes, OnnxValue sides)
    {
        var graph = planes.Graph;
        // All four sides: with the two alone (axes), ONNX Runtime 1.31 fails where it moves a transposition past the node.
        var others = graph.Node("Shape", [planes], Attr("start", 0), Attr("end", 2));
        return graph.Node("Resize", [planes, OnnxValue.None(graph), OnnxValue.None(graph), new[] { others, sides }.Concat(0)],
            Attr("mode", "cubic"), Attr("cubic_coeff_a", -0.5), Attr("antialias", 1), Attr("exclude_outside", 1),
            Attr("coordinate_transformation_mode", "half_pixel"));
    }
}
