using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Equation (12): how much nearer each patch is to the abnormal prompts than to the normal ones.</summary>
internal static class PromptMap
{
    private const double Temperature = 100;

    /// <summary>M_pi, per map: [M, B, S, S] from nodes [M, B, L, C'] and text features [2, C'] or [B, 2, C'].</summary>
    public static Tensor PerLayer(Tensor nodes, Tensor textFeatures, KagVariant variant, Func<Tensor, Tensor> toImage)
    {
        using var scope = NewDisposeScope();
        return variant.LayerMaps(Logits(nodes, textFeatures), toImage).MoveToOuterDisposeScope();
    }

    /// <summary>M_p, averaged over the maps: [B, S, S].</summary>
    public static Tensor Average(Tensor nodes, Tensor textFeatures, KagVariant variant, Func<Tensor, Tensor> toImage)
    {
        using var scope = NewDisposeScope();
        return variant.MeanMap(Logits(nodes, textFeatures), toImage).MoveToOuterDisposeScope();
    }

    /// <summary><see cref="Average"/> in ONNX operators: nodes [M, N, L, C'] → [N, S, S].</summary>
    public static OnnxValue Emit(
        OnnxValue nodes, int maps, int imageSize, Tensor textFeatures, KagVariant variant, Func<OnnxValue, OnnxValue> toImage)
    {
        using var scope = NewDisposeScope();
        var direction = textFeatures.select(-2, 1).Minus(textFeatures.select(-2, 0)).unsqueeze(-1);
        var logits = nodes.UnitLength(-1).MatMul(nodes.Graph.Constant(direction)).Squeeze(-1) * Temperature;
        return variant.MeanMap(logits, maps, imageSize, toImage);
    }

    /// <summary>
    /// 100 (cos to F_a − cos to F_n), [M, B, L]: of two classes, the softmax is the sigmoid of the difference,
    /// and upsampling keeps differences.
    /// </summary>
    private static Tensor Logits(Tensor nodes, Tensor textFeatures)
    {
        var direction = textFeatures.select(-2, 1).Minus(textFeatures.select(-2, 0));          // F_a − F_n: [C'] or [B, C']
        var unit = nodes.UnitLength(-1);
        return unit.matmul(direction.unsqueeze(-1)).squeeze(-1).Times(Temperature);
    }
}
