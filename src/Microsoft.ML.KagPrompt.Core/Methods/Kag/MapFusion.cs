using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Equation (14).</summary>
internal static class MapFusion
{
    /// <summary>M = γ M_p + (1−γ) M_v; the one there is where the other is missing. The caller owns the result.</summary>
    public static Tensor Fuse(Tensor? promptMap, Tensor? memoryMap, float gamma)
    {
        using var scope = NewDisposeScope();
        var map = (promptMap, memoryMap) switch
        {
            (not null, not null) => promptMap.Times(gamma).Plus(memoryMap.Times(1.0 - gamma)),
            (not null, null) => promptMap.alias(),
            (null, not null) => memoryMap.alias(),
            _ => throw new InvalidOperationException("There is neither a graph prompt nor a memory bank to score with."),
        };
        return map.MoveToOuterDisposeScope();
    }
}
