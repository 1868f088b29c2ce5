using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Scoring;

/// <summary>Equation (12): how much nearer each patch is to the abnormal prompts than to the normal ones.</summary>
internal static class PromptMap
{
    private const double Temperature = 100;

    /// <summary>M_pi, per layer: [4, B, S, S] from nodes [4, B, L, C'] and text features [2, C'] or [B, 2, C'].</summary>
    public static Tensor PerLayer(Tensor nodes, Tensor textFeatures, int imageSize)
    {
        using var scope = NewDisposeScope();
        return MapUpsampling.ToImage(Probabilities(nodes, textFeatures), imageSize).MoveToOuterDisposeScope();
    }

    /// <summary>M_p, averaged over the layers: [B, S, S]. Averaging before the (linear) upsampling gives the same and costs a quarter.</summary>
    public static Tensor Average(Tensor nodes, Tensor textFeatures, int imageSize)
    {
        using var scope = NewDisposeScope();
        return MapUpsampling.ToImage(Probabilities(nodes, textFeatures).mean([0]), imageSize).MoveToOuterDisposeScope();
    }

    /// <summary>Softmax over {normal, abnormal}, abnormal taken: of two classes, that is the sigmoid of the difference. [4, B, L].</summary>
    private static Tensor Probabilities(Tensor nodes, Tensor textFeatures)
    {
        var direction = textFeatures.select(-2, 1).Minus(textFeatures.select(-2, 0));          // F_a − F_n: [C'] or [B, C']
        var unit = nodes.UnitLength(-1);
        var difference = unit.matmul(direction.unsqueeze(-1)).squeeze(-1);                // [4, B, L]
        return difference.Times(Temperature).sigmoid();
    }
}
