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
            .Select((tokens, i) => Emit(tokens, lengths[i], tokens.Graph.Patches(Layers[i].t()), Layers[i].shape[0],
                Weights?[i].cpu().data<float>().ToArray(), cells?[i])).ToArray();
        return ([.. results.Select(result => result.Distances)],
            results.Select(result => result.Missing).Aggregate((sum, missing) => sum + missing) * (1.0 / results.Length));
    }

    private static (OnnxValue Distances, OnnxValue Missing) Emit(
        OnnxValue tokens, int length, OnnxValue bank, long count, float[]? weights, long[]? counted)
    {
        var own = (counted is null ? tokens : tokens.Gather(1, counted)).UnitLength(-1);        // [N, n, D]
        var rows = Math.Max(1, tokens.Graph.AtOnce / length);
        OnnxValue? nearest = null;
        OnnxValue? lacked = null;
        for (var first = 0L; first < count; first += rows)
        {
            var block = rows >= count ? bank : bank.Narrow(1, first, Math.Min(rows, count - first));
            var similarities = own.MatMul(block);                                               // [N, n, rows]
            var missed = similarities.Largest(1).Complement();                                  // [N, rows]
            if (weights is not null)
            {
                var ownWeights = weights.AsSpan((int)first, (int)Math.Min(rows, count - first)).ToArray();
                missed *= tokens.Graph.Constant(ownWeights, 1, ownWeights.Length);
            }

            var (closest, distances) = similarities.Largest(2).Together(counted?.Length ?? length, missed.Sum(1, keep: true));
            nearest = nearest?.Maximum(closest) ?? closest;
            lacked = lacked is null ? distances : lacked + distances;
        }

        var (found, missing) = (nearest!.Complement(), lacked!.Squeeze(1));
        return (counted is null ? found : found.Among(counted, length), weights is null ? missing * (1.0 / count) : missing);
    }
}
