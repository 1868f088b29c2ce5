using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.PromptAd;

/// <summary>PromptAD's values of patches and images. Within the caller's dispose scope.</summary>
internal static class PromptAdMaps
{
    /// <summary>
    /// Half the cosine distance to the nearest normal patch, mean over the banks, 0..1: [B, L]; and what each image lacks of them.
    /// </summary>
    public static (Tensor Values, Tensor Unlikeness) Visual(MemoryBank bank, IReadOnlyList<Tensor> attended, IReadOnlyList<long[]>? cells)
    {
        var (distances, unlikeness) = bank.Compare(attended, cells);
        // A patch held against its copy is nearer than 0 by a rounding, and its reciprocal would be anything.
        return (stack([.. distances]).mean([0]).Times(0.5).AtLeast(0), unlikeness);
    }

    /// <summary>The share of the abnormal direction in features […, C'] of any length: […].</summary>
    public static Tensor Textual(Tensor features, Tensor directions)
        => functional.softmax(features.UnitLength(-1).matmul(directions.t()), -1).select(-1, 1);

    /// <summary>Half the harmonic mean: 1 / (1/a + 1/b); 0 where either is.</summary>
    public static Tensor Fused(Tensor a, Tensor b) => a.reciprocal().Plus(b.reciprocal()).reciprocal();

    /// <summary><see cref="Textual"/> in ONNX operators.</summary>
    public static OnnxValue Emit(OnnxValue features, Tensor directions)
    {
        using var scope = NewDisposeScope();
        return features.UnitLength(-1).MatMul(features.Graph.Constant(directions.t())).Softmax(-1).Select(-1, 1);
    }

    /// <summary><see cref="Fused"/> in ONNX operators.</summary>
    public static OnnxValue Emit(OnnxValue a, OnnxValue b) => (a.Reciprocal() + b.Reciprocal()).Reciprocal();
}
