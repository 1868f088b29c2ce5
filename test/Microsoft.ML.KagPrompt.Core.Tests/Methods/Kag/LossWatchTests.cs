using Microsoft.ML.KagPrompt.Methods.Kag;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

public sealed class LossWatchTests
{
    private static readonly LossWatch.Place Place = new(Step: 12, Epoch: 3, Rate: 0.004);

    [Theory]
    [InlineData(float.NaN, 0, 0)]
    [InlineData(0, float.PositiveInfinity, 0)]
    [InlineData(60, 60, 1)]
    public void CheckLoss_NoNumberOrExploded_SaysStepRateAndAdvice(float crossEntropy, float focal, float dice)
    {
        var watch = new LossWatch();
        watch.CheckLoss((0.7f, 0.2f, 0.9f), Place);
        watch.CheckLoss((0.4f, 0.2f, 0.3f), Place);
        watch.Invoking(one => one.CheckLoss((crossEntropy, focal, dice), Place)).Should().Throw<NotFiniteException>()
            .WithMessage("*step 12 (epoch 3)*0.004*Lower LearningRate*");
    }

    [Fact]
    public void CheckLoss_HighFromTheStart_IsNoExplosion()
    {
        var watch = new LossWatch();
        watch.CheckLoss((90, 40, 1), Place);
        watch.Invoking(one => one.CheckLoss((95, 60, 1), Place)).Should().NotThrow();
    }

    [Fact]
    public void CheckGradients_NoNumber_IsRefused()
    {
        FluentActions.Invoking(() => LossWatch.CheckGradients(double.NaN, Place)).Should().Throw<NotFiniteException>().WithMessage("*step 12*gradients*");
        FluentActions.Invoking(() => LossWatch.CheckGradients(1e20, Place)).Should().NotThrow("it will be clipped");
    }
}
