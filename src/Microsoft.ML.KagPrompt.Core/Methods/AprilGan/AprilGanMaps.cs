using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.AprilGan;

/// <summary>APRIL-GAN's arithmetic from projected patches and distances to maps and scores.</summary>
internal static class AprilGanMaps
{
    private const double LogitScale = 100;

    /// <summary>Projected patches [B, L, C'] against the texts [2, C'] or [B, 2, C']: 100 · cosine, [B, L, 2], normal first.</summary>
    public static Tensor Logits(Tensor projected, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        return projected.matmul(textFeatures.transpose(-2, -1)).Times(LogitScale).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A layer's probability of a defect: logits enlarged first, softmax second, [B, L, 2] → [B, S, S]. Of two, the softmax is the sigmoid
    /// of the difference, and enlarging keeps differences.
    /// </summary>
    public static Tensor LayerMap(Tensor logits, Func<Tensor, Tensor> toImage)
    {
        using var scope = NewDisposeScope();
        return toImage(logits.select(-1, 1).Minus(logits.select(-1, 0))).sigmoid().MoveToOuterDisposeScope();
    }

    /// <summary>The sum over layers, each [B, S, S].</summary>
    public static Tensor Sum(IEnumerable<Tensor> layers)
    {
        using var scope = NewDisposeScope();
        return layers.Aggregate((sum, map) => sum.Plus(map)).alias().MoveToOuterDisposeScope();
    }

    /// <summary>Image embeddings [B, C'] at unit length against the texts [2, C']: the probability of a defect, [B].</summary>
    public static Tensor ImageScores(Tensor embeddings, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        var direction = textFeatures.select(0, 1).Minus(textFeatures.select(0, 0));
        return embeddings.UnitLength(-1).matmul(direction).Times(LogitScale).sigmoid().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// In ONNX operators how much nearer features of unit length, […, C'], are to the abnormal text than to the normal one: 100 times the
    /// difference of cosines, […].
    /// </summary>
    public static OnnxValue Emit(OnnxValue features, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        var direction = textFeatures.select(0, 1).Minus(textFeatures.select(0, 0)).unsqueeze(1);
        return features.MatMul(features.Graph.Constant(direction)).Squeeze(-1) * LogitScale;
    }
}
