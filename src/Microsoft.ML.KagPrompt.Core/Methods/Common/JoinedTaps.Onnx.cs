using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <content>The same in ONNX operators.</content>
internal sealed partial class JoinedTaps
{
    /// <summary>As <see cref="Join"/>: [N, L_i, D_i] of each tap → [N, L, Σ D_i].</summary>
    public OnnxValue Emit(IReadOnlyList<OnnxValue> taps)
        => taps.Select((tap, i) => EmitOnGrid(tap, i) * (1 / Math.Sqrt(taps.Count))).ToArray().Concat(-1);

    private OnnxValue EmitOnGrid(OnnxValue tap, int index)
    {
        var (unit, own) = (tap.UnitLength(-1), grids[index]);
        return own.Rows == Grid.Rows ? unit
            : Seen(own).ToImage(unit.AsMap(own.Rows), Grid.Rows, Grid.Rows).Tokens().UnitLength(-1);
    }
}
