using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>How far maps of probabilities are from masks, for training.</summary>
internal static class MapLosses
{
    private const double Smooth = 1e-5;

    /// <summary>
    /// −(1−p_t)² ln p_t, mean over pixels; p_t = Σ onehot · p + 1e-5 with the one-hot target clamped to [1e-5, 1 − 1e-5].
    /// </summary>
    public static Tensor Focal(Tensor normal, Tensor abnormal, Tensor target)
    {
        var onAbnormal = target.AtLeast(Smooth).AtMost(1 - Smooth);
        var onNormal = target.Complement().AtLeast(Smooth).AtMost(1 - Smooth);
        var likelihood = (onNormal * normal).Plus(onAbnormal * abnormal).Plus(Smooth);
        return (likelihood.Complement().Squared() * likelihood.log()).mean().neg();
    }

    /// <summary>1 − mean over images of (2 Σ p g + 1) / (Σ p + Σ g + 1).</summary>
    public static Tensor Dice(Tensor probability, Tensor target)
    {
        var (p, g) = (probability.flatten(1), target.flatten(1));
        var overlap = (p * g).sum(1).Times(2).Plus(1) / p.sum(1).Plus(g.sum(1)).Plus(1);
        return overlap.mean().Complement();
    }
}
