using Microsoft.ML.KagPrompt.Calibration;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Tests.Model;

public class RejectRateTests
{
    // Quantiles of Beta distributions: 1 - 0.1^(1/8) of Beta(1, 8), 0.1^(1/8) of Beta(8, 1), and Pearson's table for Beta(2, 2) at 5 and 95 %.
    [Theory]
    [InlineData(8, 8, false, 0.0, 0.25011)]
    [InlineData(8, 8, true, 0.0, 0.25011)]
    [InlineData(8, 0, true, 0.74989, 1.0)]
    [InlineData(3, 2, false, 0.13535, 0.86465)]
    public void Of_KnownBeta_GivesItsQuantiles(int n, int r, bool between, double low, double high)
    {
        var rate = RejectRate.Estimate(n, r, between);
        rate.Low.Should().BeApproximately(low, 1e-5);
        rate.High.Should().BeApproximately(high, 1e-5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20_000)]
    public void Of_AnyNumberBelow_LiesWithinZeroAndOne(int n)
    {
        foreach (var r in (int[])[0, 1, (n + 1) / 2, n])
        {
            var (expected, low, high) = RejectRate.Estimate(n, r, between: r == 0);
            low.Should().BeInRange(0, expected);
            high.Should().BeInRange(expected, 1);
        }
    }
}
