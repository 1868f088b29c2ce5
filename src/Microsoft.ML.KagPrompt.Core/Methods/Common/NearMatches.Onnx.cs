using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <content>The same in ONNX operators.</content>
internal sealed partial class NearMatches
{
    /// <summary>As <see cref="Distances"/>: [N, L_i, D_i] → [N, L_i] each.</summary>
    /// <param name="patchTokens">The layers' patches.</param>
    /// <param name="cells">Of each layer, the patches that count; the others' distances are 0. Null: all.</param>
    public IReadOnlyList<OnnxValue> Emit(IReadOnlyList<OnnxValue> patchTokens, IReadOnlyList<long[]>? cells = null)
        => [.. layers.Select((layer, i) => layer.Emit(patchTokens[i], cells?[i]))];

    private sealed partial class Layer
    {
        public OnnxValue Emit(OnnxValue tokens, long[]? counted)
        {
            using var scope = NewDisposeScope();
            var known = tokens.Graph.Patches(patches.t());                                      // [D, M]
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
