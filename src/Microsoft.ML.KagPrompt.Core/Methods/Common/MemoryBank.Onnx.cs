using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <content>The same in ONNX operators.</content>
internal sealed partial class MemoryBank
{
    /// <summary>As <see cref="Compare"/>: [N, L_i, D_i] → [N, L_i] each, and [N].</summary>
    /// <param name="patchTokens">The layers' patches.</param>
    /// <param name="lengths">L_i.</param>
    /// <param name="cells">Of each layer, the patches that count, by number, ascending; null: all.</param>
    public (IReadOnlyList<OnnxValue> Distances, OnnxValue Unlikeness) Emit(IReadOnlyList<OnnxValue> patchTokens,
        IReadOnlyList<int> lengths, IReadOnlyList<long[]>? cells = null)
    {
        var results = patchTokens.Select((tokens, i) => Emit(tokens, lengths[i], i, cells?[i])).ToArray();
        return ([.. results.Select(result => result.Distances)],
            results.Select(result => result.Missing).Aggregate((sum, missing) => sum + missing) * (1.0 / results.Length));
    }

    /// <summary>A layer's patches, column by column: [D, M].</summary>
    public OnnxValue Columns(OnnxGraph graph, int layer)
    {
        using var scope = NewDisposeScope();
        return graph.Patches(Layers[layer].t());
    }

    private (OnnxValue Distances, OnnxValue Missing) Emit(OnnxValue tokens, int length, int layer, long[]? counted)
    {
        var own = (counted is null ? tokens : tokens.Gather(1, counted)).UnitLength(-1);        // [N, n, D]
        var (bank, count) = (Columns(tokens.Graph, layer), Layers[layer].shape[0]);
        var rows = Math.Max(1, tokens.Graph.AtOnce / length);
        OnnxValue? nearest = null;
        OnnxValue? lacked = null;
        for (var first = 0L; first < count; first += rows)
        {
            var block = rows >= count ? bank : bank.Narrow(1, first, Math.Min(rows, count - first));
            var similarities = own.MatMul(block);                                               // [N, n, rows]
            var closest = similarities.Largest(2);
            nearest = nearest?.Maximum(closest) ?? closest;
            var distances = similarities.Largest(1).Complement().Sum(1);
            lacked = lacked is null ? distances : lacked + distances;
        }

        var found = nearest!.Complement();
        return (counted is null ? found : found.Among(counted, length), lacked! * (1.0 / count));
    }
}
