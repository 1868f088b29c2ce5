using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Equation (17) and its parts.</summary>
internal sealed record Losses(Tensor CrossEntropy, Tensor Focal, Tensor Dice, Tensor Total)
{
    private const double Temperature = 100;
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
            var (focalPart, dicePart) = (FocalOf(rest, map, masks),
                Part(diceWeight, () => DiceOf(map, masks).Plus(DiceOf(rest, masks.Complement()))));
            focal = focal is null ? focalPart : focal.Plus(focalPart);
            dice = dice is null ? dicePart : dice.Plus(dicePart);
        }

        return new(crossEntropy, focal!, dice!, crossEntropy.Plus(focal!.Times(focalWeight)).Plus(dice!.Times(diceWeight)));
    }

    /// <summary>
    /// The authors' code: binary cross-entropy of sigmoid([s_n, s_a]) to the one-hot label + λ1 Σ focal + λ2 · 0.3 Σ dice(M_pi, G),
    /// over all eight maps.
    /// </summary>
    /// <inheritdoc cref="Paper"/>
    public static Losses Released(Tensor similarities, Tensor maps, Tensor masks, Tensor labels, float focalWeight, float diceWeight)
    {
        var oneHot = functional.one_hot(labels, 2).to_type(ScalarType.Float32);
        var crossEntropy = functional.binary_cross_entropy(similarities.sigmoid(), oneHot);
        Tensor? focal = null;
        Tensor? dice = null;
        for (var i = 0; i < maps.shape[0]; i++)
        {
            var (focalPart, dicePart) = (FocalOf(maps[i].Complement(), maps[i], masks),
                Part(diceWeight, () => DiceOf(maps[i], masks).Times(ReleasedDiceWeight)));
            focal = focal is null ? focalPart : focal.Plus(focalPart);
            dice = dice is null ? dicePart : dice.Plus(dicePart);
        }

        return new(crossEntropy, focal!, dice!, crossEntropy.Plus(focal!.Times(focalWeight)).Plus(dice!.Times(diceWeight)));
    }

    /// <inheritdoc cref="MapLosses.Focal"/>
    public static Tensor FocalOf(Tensor normal, Tensor abnormal, Tensor target) => MapLosses.Focal(normal, abnormal, target);

    /// <inheritdoc cref="MapLosses.Dice"/>
    public static Tensor DiceOf(Tensor probability, Tensor target) => MapLosses.Dice(probability, target);

    /// <summary>A part of the loss; of one that weighs nothing the value alone, for its gradient is zero.</summary>
    private static Tensor Part(float weight, Func<Tensor> part)
    {
        using var noGradients = weight == 0 ? no_grad() : null;
        return part();
    }
}
