using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Equation (17) and its parts.</summary>
internal sealed record Losses(Tensor CrossEntropy, Tensor Focal, Tensor Dice, Tensor Total)
{
    private const double Temperature = 100;
    private const double Smooth = 1e-5;
    private const double ReleasedDiceWeight = 0.3;

    /// <summary>CE + λ1 Σ focal([1−M_pi, M_pi], G) + λ2 Σ (dice(M_pi, G) + dice(1−M_pi, 1−G)).</summary>
    /// <param name="similarities">cos to [F_n, F_a]: [B, 2].</param>
    /// <param name="maps">M_pi: [4, B, S, S].</param>
    /// <param name="masks">G: [B, S, S], 0 or 1.</param>
    /// <param name="labels">c: [B], int64.</param>
    /// <param name="focalWeight">λ1.</param>
    /// <param name="diceWeight">λ2.</param>
    public static Losses Paper(Tensor similarities, Tensor maps, Tensor masks, Tensor labels, float focalWeight, float diceWeight)
    {
        var crossEntropy = functional.cross_entropy(similarities.Times(Temperature), labels);
        var layers = maps.shape[0];
        Tensor? focal = null;
        Tensor? dice = null;
        for (var i = 0; i < layers; i++)
        {
            var (map, rest) = (maps[i], maps[i].Complement());
            var (focalPart, dicePart) = (FocalOf(rest, map, masks), DiceOf(map, masks).Plus(DiceOf(rest, masks.Complement())));
            focal = focal is null ? focalPart : focal.Plus(focalPart);
            dice = dice is null ? dicePart : dice.Plus(dicePart);
        }

        return new(crossEntropy, focal!, dice!, crossEntropy.Plus(focal!.Times(focalWeight)).Plus(dice!.Times(diceWeight)));
    }

    /// <summary>The authors' code: binary cross-entropy of sigmoid([s_n, s_a]) to the one-hot label + λ1 Σ focal + λ2 · 0.3 Σ dice(M_pi, G), over all eight maps.</summary>
    /// <inheritdoc cref="Paper"/>
    public static Losses Released(Tensor similarities, Tensor maps, Tensor masks, Tensor labels, float focalWeight, float diceWeight)
    {
        var oneHot = functional.one_hot(labels, 2).to_type(ScalarType.Float32);
        var crossEntropy = functional.binary_cross_entropy(similarities.sigmoid(), oneHot);
        Tensor? focal = null;
        Tensor? dice = null;
        for (var i = 0; i < maps.shape[0]; i++)
        {
            var (focalPart, dicePart) = (FocalOf(maps[i].Complement(), maps[i], masks), DiceOf(maps[i], masks).Times(ReleasedDiceWeight));
            focal = focal is null ? focalPart : focal.Plus(focalPart);
            dice = dice is null ? dicePart : dice.Plus(dicePart);
        }

        return new(crossEntropy, focal!, dice!, crossEntropy.Plus(focal!.Times(focalWeight)).Plus(dice!.Times(diceWeight)));
    }

    /// <summary>−(1−p_t)² ln p_t, mean over pixels; p_t = Σ onehot · p + 1e-5 with the one-hot target clamped to [1e-5, 1 − 1e-5].</summary>
    public static Tensor FocalOf(Tensor normal, Tensor abnormal, Tensor target)
    {
        var onAbnormal = target.AtLeast(Smooth).AtMost(1 - Smooth);
        var onNormal = target.Complement().AtLeast(Smooth).AtMost(1 - Smooth);
        var likelihood = (onNormal * normal).Plus(onAbnormal * abnormal).Plus(Smooth);
        return (likelihood.Complement().Squared() * likelihood.log()).mean().neg();
    }

    /// <summary>1 − mean over images of (2 Σ p g + 1) / (Σ p + Σ g + 1).</summary>
    public static Tensor DiceOf(Tensor probability, Tensor target)
    {
        var (p, g) = (probability.flatten(1), target.flatten(1));
        var overlap = (p * g).sum(1).Times(2).Plus(1) / p.sum(1).Plus(g.sum(1)).Plus(1);
        return overlap.mean().Complement();
    }
}
