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
        using var scope = NewDisposeScope();
        var results = patchTokens
            .Select((tokens, i) => Emit(tokens, lengths[i], tokens.Graph.Patches(Layers[i].t()), Layers[i].shape[0], cells?[i])).ToArray();
        return ([.. results.Select(result => result.Distances)],
            results.Select(result => result.Missing).Aggregate((sum, missing) => sum + missing) * (1.0 / results.Length));
    }

    private static (OnnxValue Distances, OnnxValue Missing) Emit(
        OnnxValue tokens, int length, OnnxValue bank, long count, long[]? counted)
    {
        var own = (counted is null ? tokens : tokens.Gather(1, counted)).UnitLength(-1);        // [N, n, D]
        var rows = Math.Max(1, tokens.Graph.AtOnce / length);
        OnnxValue? nearest = null;
        OnnxValue? lacked = null;
        for (var first = 0L; first < count; first += rows)
        {
            var block = rows >= count ? bank : bank.Narrow(1, first, Math.Min(rows, count - first));
            var similarities = own.MatMul(block);                                               // [N, n, rows]
            var (closest, distances) = similarities.Largest(2)
                .Together(counted?.Length ?? length, similarities.Largest(1).Complement().Sum(1, keep: true));
            nearest = nearest?.Maximum(closest) ?? closest;
            lacked = lacked is null ? distances : lacked + distances;
        }

        var found = nearest!.Complement();
        return (counted is null ? found : found.Among(counted, length), lacked!.Squeeze(1) * (1.0 / count));
    }
}
