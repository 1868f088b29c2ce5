using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>In ONNX operators what <see cref="IPooledEmbedding.Embed"/> computes of weights named "embed.…".</summary>
internal static class PooledEmbedding
{
    /// <summary>Mean and maximum over a map's places, through two layers, at unit length: [N, W, h, w] → [N, C'].</summary>
    public static OnnxValue Emit(OnnxValue map, WeightSet weights)
    {
        var pooled = new[] { map.Mean([2, 3]), map.Largest(2, 3) }.Concat(1);
        var hidden = pooled.Linear(weights["embed.hidden.weight"], weights["embed.hidden.bias"]).Relu();
        return hidden.Linear(weights["embed.out.weight"], weights["embed.out.bias"]).UnitLength(-1);
    }
}
