using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <content>The same in ONNX operators.</content>
internal sealed partial class NearMatches
{
    /// <summary>
    /// Of each layer, all patches of the bank that these were built of: those that are here first, in their order here. A file that
    /// holds the bank so needs no second copy of it, and the runtime none to make when it loads.
    /// </summary>
    /// <param name="bank">Whose patches these are.</param>
    public IReadOnlyList<long[]> Orders(MemoryBank bank) => [.. layers.Select((layer, i) => layer.Order(bank.Layers[i].shape[0]))];

    /// <summary>As <see cref="Distances"/>: [N, L_i, D_i] → [N, L_i] each.</summary>
    /// <param name="bank">Whose patches these are.</param>
    /// <param name="patchTokens">The layers' patches.</param>
    /// <param name="cells">Of each layer, the patches that count; the others' distances are 0. Null: all.</param>
    public IReadOnlyList<OnnxValue> Emit(MemoryBank bank, IReadOnlyList<OnnxValue> patchTokens, IReadOnlyList<long[]>? cells = null)
        => [.. Orders(bank).Select((order, i) => layers[i].Emit(bank.Columns(patchTokens[i].Graph, i, order), patchTokens[i], cells?[i]))];

    private sealed partial class Layer
    {
        public long[] Order(long count)
        {
            var placed = order.ToHashSet();
            return [.. order, .. Enumerable.Range(0, (int)count).Select(row => (long)row).Where(row => !placed.Contains(row))];
        }

        // known: [D, M], of which the first columns are the patches here.
        public OnnxValue Emit(OnnxValue known, OnnxValue tokens, long[]? counted)
        {
            var unit = tokens.UnitLength(-1);
            var found = strips.Select(strip => Emit(strip, unit, known)).ToArray().Concat(1);   // [N, L]
            return counted is null ? found : found.Gather(1, counted).Among(counted, grid.Rows * grid.Columns);
        }

        private OnnxValue Emit(Strip strip, OnnxValue unit, OnnxValue known)
        {
            var asked = unit.Narrow(1, strip.FirstRow * grid.Columns, strip.Cells);             // [N, n, D]
            if (strip.Count == 0)
            {
                return (asked.Sum(2) * 0) + 1;
            }

            var graph = unit.Graph;
            return graph.Constant(strip.Apart)
                .Where(graph.Constant(TooFar), asked.MatMul(known.Narrow(1, strip.First, strip.Count)))
                .Largest(2).AtLeast(-1).Complement();
        }
    }
}
