using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

[Trait("Category", "Golden")]
public class LossesGoldenTests
{
    private const double Tolerance = 1e-6;

    [SkippableFact]
    public void FocalAndDice_ValuesAndGradients_EqualGolden()
    {
        using var golden = SafetensorsFile.Open(SharedFiles.Golden("losses.safetensors"));
        using var scope = torch.NewDisposeScope();
        var target = golden.Read("target");

        var probabilities = golden.Read("probabilities").requires_grad_(true);
        var focal = Losses.FocalOf(probabilities.select(1, 0), probabilities.select(1, 1), target);
        focal.backward();
        focal.reshape(1).ShouldBeClose(golden.Read("focal"), Tolerance, "focal");
        probabilities.grad!.ShouldBeClose(golden.Read("focal_grad"), Tolerance, "focal gradient");

        probabilities = golden.Read("probabilities").requires_grad_(true);
        var dice = Losses.DiceOf(probabilities.select(1, 1), target).Plus(Losses.DiceOf(probabilities.select(1, 0), target.Complement()));
        dice.backward();
        dice.reshape(1).ShouldBeClose(golden.Read("dice_both"), Tolerance, "dice");
        probabilities.grad!.ShouldBeClose(golden.Read("dice_grad"), Tolerance, "dice gradient");
    }
}
