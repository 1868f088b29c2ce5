using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Onnx;
using static Microsoft.ML.KagPrompt.Onnx.OnnxGraph;
using static Microsoft.ML.KagPrompt.Onnx.Schema.TensorProto.Types;

namespace Microsoft.ML.KagPrompt.Methods.Spade;

/// <content>The same in ONNX operators.</content>
internal sealed partial class SpadeGallery
{
    /// <summary>As <see cref="Retrieve"/>: [N, D] → [N, K] each.</summary>
    public (OnnxValue Distances, OnnxValue Images) EmitRetrieval(OnnxValue queries, int neighbours)
    {
        var distances = (queries.Graph.Weight(descriptors) - queries.Unsqueeze(1)).Squared().Sum(2).Sqrt();
        return distances.TopK(Math.Min(neighbours, counts.Length), largest: false);
    }

    /// <summary>As <see cref="Distances"/>, of each image to its own retrieved ones: [N, n, C] and [N, K] → [N, n].</summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="features">The features.</param>
    /// <param name="length">n.</param>
    /// <param name="retrieved">The support images, nearest first.</param>
    public OnnxValue Emit(int layer, OnnxValue features, int length, OnnxValue retrieved)
    {
        var graph = features.Graph;
        long[] own = [.. counts.Select(count => count[layer])];
        long[] images = [.. own.SelectMany((count, image) => Enumerable.Repeat((long)image, (int)count))];
        float[] places = [.. own.SelectMany(count => Enumerable.Range(0, (int)count).Select(place => (float)place))];
        // A feature counts if its place in its own image is below what of that image is walked through: [N, 1, M].
        var walked = Walked(own, retrieved).Gather(1, images);
        var known = (graph.Constant(places, places.Length) < walked).Unsqueeze(1);
        var (squared, _) = new NearestRows(layers[layer]).Find(features + -Epsilon, length, 1, known);
        return squared.Squeeze(-1).Sqrt();
    }

    /// <summary>How many features of each support image are walked through, for each image asked about: [N, images].</summary>
    private OnnxValue Walked(long[] own, OnnxValue retrieved)
    {
        var graph = retrieved.Graph;
        var taken = graph.Constant([.. own.Select(count => (float)count)], own.Length).Gather(0, retrieved);           // [N, K]
        var before = graph.Node("CumSum", [taken, graph.Whole(1).Squeeze(0)], Attr("exclusive", 1));
        var all = taken.Sum(1, keep: true);
        var whole = losesRemainder ? (all / Piece).Cast(DataType.Int64).Cast(DataType.Float) * Piece : all;
        // Of fewer than a piece none is lost.
        var end = (whole > graph.Constant(0)).Where(whole, all);
        var left = graph.Node("Min", [(end - before).AtLeast(0), taken]);                                               // [N, K]
        long[] numbers = [.. Enumerable.Range(0, own.Length).Select(image => (long)image)];
        var isImage = graph.Node("Equal", [retrieved.Unsqueeze(2), graph.Whole(numbers)]).Cast(DataType.Float);         // [N, K, images]
        return (isImage * left.Unsqueeze(2)).Sum(1);
    }
}
