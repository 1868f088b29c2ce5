using static Microsoft.ML.KagPrompt.Onnx.OnnxGraph;

namespace Microsoft.ML.KagPrompt.Onnx;

/// <summary>Operators that move values about and compute none.</summary>
internal static class OnnxShapes
{
    /// <summary>In another shape; 0 keeps a side, −1 is what is left.</summary>
    public static OnnxValue Reshape(this OnnxValue x, params long[] shape) => x.Graph.Node("Reshape", [x, x.Graph.Whole(shape)]);

    public static OnnxValue Permute(this OnnxValue x, params long[] order) => x.Graph.Node("Transpose", [x], Attr("perm", order));

    /// <summary>[A, B, C] → [A, C, B].</summary>
    public static OnnxValue Swap(this OnnxValue x) => x.Permute(0, 2, 1);

    /// <summary>A map [N, C, h, w] as tokens [N, h·w, C].</summary>
    public static OnnxValue Tokens(this OnnxValue map) => map.Reshape(0, 0, -1).Swap();

    /// <summary>Tokens [N, side², C] as a map [N, C, side, side].</summary>
    public static OnnxValue AsMap(this OnnxValue tokens, long side) => tokens.Swap().Reshape(0, 0, side, side);

    public static OnnxValue Unsqueeze(this OnnxValue x, long axis) => x.Graph.Node("Unsqueeze", [x, x.Graph.Whole(axis)]);

    public static OnnxValue Squeeze(this OnnxValue x, long axis) => x.Graph.Node("Squeeze", [x, x.Graph.Whole(axis)]);

    public static OnnxValue Concat(this IReadOnlyList<OnnxValue> parts, long axis)
        => parts.Count == 1 ? parts[0] : parts[0].Graph.Node("Concat", parts, Attr("axis", axis));

    /// <summary>
    /// [N, n] and [N, 1] as they are, both computed before either is used: runtimes walk from a file's outputs, so what the two are
    /// made of would else stay in memory from the one's use to the other's.
    /// </summary>
    public static (OnnxValue First, OnnxValue Second) Together(this OnnxValue first, long count, OnnxValue second)
    {
        var both = new[] { first, second }.Concat(1);
        return (both.Narrow(1, 0, count), both.Narrow(1, count, 1));
    }

    /// <summary>Some values along a dimension, from one on.</summary>
    public static OnnxValue Narrow(this OnnxValue x, long axis, long first, long count)
        => x.Slice(axis, x.Graph.Whole(first), x.Graph.Whole(first + count));

    public static OnnxValue Slice(this OnnxValue x, long axis, OnnxValue first, OnnxValue end)
        => x.Graph.Node("Slice", [x, first, end, x.Graph.Whole(axis)]);

    /// <summary>The only values at one place along a dimension, which goes.</summary>
    public static OnnxValue Select(this OnnxValue x, long axis, long place) => x.Narrow(axis, place, 1).Squeeze(axis);

    public static OnnxValue Gather(this OnnxValue x, long axis, OnnxValue places)
        => x.Graph.Node("Gather", [x, places], Attr("axis", axis));

    public static OnnxValue Gather(this OnnxValue x, long axis, long[] places) => x.Gather(axis, x.Graph.Whole(places));

    /// <summary>Of each image one row: [N, n, …] and [N, 1] → [N, …].</summary>
    public static OnnxValue RowOfEach(this OnnxValue x, OnnxValue numbers)
        => x.Graph.Node("GatherND", [x, numbers], Attr("batch_dims", 1));

    /// <summary>The same rows for each image of a batch: [k, D] → [N, k, D].</summary>
    /// <param name="rows">A constant.</param>
    /// <param name="count">k.</param>
    /// <param name="width">D.</param>
    /// <param name="batch">A value whose first side is N.</param>
    public static OnnxValue ForEach(this OnnxValue rows, long count, long width, OnnxValue batch)
    {
        var images = batch.Graph.Node("Shape", [batch], Attr("start", 0), Attr("end", 1));
        return rows.Graph.Node("Expand", [rows, new[] { images, rows.Graph.Whole(count, width) }.Concat(0)]);
    }

    /// <summary>
    /// Values of some places back among all of them, the others 0: [N, n] → [N, count]. The places ascend.
    /// </summary>
    public static OnnxValue Among(this OnnxValue values, long[] places, long count)
    {
        // One 0 more, which stands for every other place.
        var padded = values.Graph.Node("Pad", [values, values.Graph.Whole(0, 0, 0, 1), values.Graph.Constant(0)]);
        var from = Enumerable.Repeat((long)places.Length, (int)count).ToArray();
        foreach (var (i, place) in places.Index())
        {
            from[place] = i;
        }

        return padded.Gather(1, from);
    }
}
