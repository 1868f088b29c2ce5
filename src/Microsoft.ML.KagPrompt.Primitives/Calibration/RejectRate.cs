using MathNet.Numerics.Distributions;

namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>
/// The share of normal parts beyond a threshold, from order statistics: Beta(n + 1 − r, r) at the r-th of n exchangeable scores.
/// </summary>
internal static class RejectRate
{
    private const int Tails = 64;

    /// <summary>The share to expect, and the shortest of the intervals that leave at most 10 % out.</summary>
    /// <param name="n">Number of normal scores.</param>
    /// <param name="r">How many of them lie at or below the threshold.</param>
    /// <param name="between">Whether the threshold lies between two scores (or beyond all):
    /// then the share lies between those of its neighbours, and the interval covers both.</param>
    public static (double Expected, double Low, double High) Estimate(int n, int r, bool between)
    {
        if (r == 0)
        {
            // Below all scores.
            return ((n + 0.5) / (n + 1), Quantile(n, 1, 1 - ThresholdCalibration.Confidence), 1);
        }

        var (best, upper) = ((Low: 0.0, High: 1.0), between ? r + 1 : r);
        for (var i = 0; i <= Tails; i++)
        {
            var below = (1 - ThresholdCalibration.Confidence) * i / Tails;
            // Beyond all scores there is no neighbour above: the share may be nothing.
            var (low, high) = (upper > n ? 0 : Quantile(n, upper, below), Quantile(n, r, below + ThresholdCalibration.Confidence));
            if (high - low < best.High - best.Low)
            {
                best = (low, high);
            }
        }

        return ((n + (between ? 0.5 : 1.0) - r) / (n + 1), best.Low, best.High);
    }

    /// <summary>Of the share beyond the r-th score. Sums of tails may pass 1 by a rounding.</summary>
    private static double Quantile(int n, int r, double p) => Beta.InvCDF(n + 1 - r, r, Math.Min(p, 1));
}
