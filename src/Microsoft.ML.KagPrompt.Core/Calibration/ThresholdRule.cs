using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>Decision thresholds from scores.</summary>
internal static class ThresholdRule
{
    /// <summary>The threshold that maximises F1, half-way to the next lower score.</summary>
    public static float FromLabels(IReadOnlyList<float> normal, IReadOnlyList<float> anomalous)
    {
        var sorted = normal.Select(score => (Score: score, IsAnomalous: false))
            .Concat(anomalous.Select(score => (Score: score, IsAnomalous: true)))
            .OrderByDescending(row => row.Score).ToArray();
        var (best, threshold, truePositives) = (-1.0, float.NaN, 0);
        for (var i = 0; i < sorted.Length; i++)
        {
            truePositives += sorted[i].IsAnomalous ? 1 : 0;
            if (i + 1 < sorted.Length && sorted[i + 1].Score == sorted[i].Score)
            {
                continue;
            }

            var f1 = 2.0 * truePositives / (i + 1 + anomalous.Count);
            if (f1 > best)
            {
                best = f1;
                threshold = i + 1 < sorted.Length ? Between(sorted[i + 1].Score, sorted[i].Score) : MathF.BitDecrement(sorted[i].Score);
            }
        }

        return threshold;
    }

    /// <summary>
    /// A bound the next normal image's score exceeds with probability <paramref name="falseRejectRate"/>: the conformal rank where there are
    /// enough scores (n ≥ 1/rate − 1), else the one-sided prediction bound mean + t·s·√(1 + 1/n) of a normal distribution, but no less than the largest
    /// score: one beyond the bound shows that the tail is heavier than the bound assumes.
    /// </summary>
    public static (string Method, float Threshold) FromNormals(IReadOnlyList<float> normal, float falseRejectRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(normal.Count, 2);
        var n = normal.Count;
        var rank = (int)Math.Ceiling((n + 1) * (1.0 - falseRejectRate));
        if (rank <= n)
        {
            return ($"rank {rank} of {n} normal scores, each against the other images", normal.Order().ElementAt(rank - 1));
        }

        var mean = normal.Average(score => (double)score);
        var deviation = Math.Sqrt(normal.Sum(score => (score - mean) * (score - mean)) / (n - 1));
        var bound = mean + (StudentTail.Quantile(falseRejectRate, n - 1) * deviation * Math.Sqrt(1 + (1.0 / n)));
        var largest = normal.Max();
        return bound > largest ? ($"prediction bound of {n} normal scores, each against the other images", (float)bound)
            : ($"largest of {n} normal scores, each against the other images, which lies above their prediction bound", largest);
    }

    /// <summary>A class's calibration with its threshold placed by <see cref="FromNormals"/> from the normal scores it keeps; the maps' threshold moves as far.</summary>
    public static ThresholdCalibration Recalibrated(string className, ThresholdCalibration calibration, float falseRejectRate)
    {
        if (calibration.NormalScores.Count < 2)
        {
            throw new InsufficientDataException($"Class '{className}' keeps {calibration.NormalScores.Count} normal score(s): expected at least 2 to place a threshold by the share of normal parts it rejects. "
                + "Set the threshold itself, or fit with more normal images.");
        }

        var (method, threshold) = FromNormals(calibration.NormalScores, falseRejectRate);
        var defects = calibration.AnomalousScores.Count > 0 ? calibration.AnomalousScores : calibration.SyntheticScores;
        return calibration.At(threshold) with { Method = method, Scale = ProbabilityScale.Of(threshold, calibration.NormalScores, defects) };
    }

    /// <summary>A float that separates the two: at least the lower, below the upper.</summary>
    private static float Between(float lower, float upper)
    {
        var middle = (float)(((double)lower + upper) / 2);
        return middle < upper ? middle : lower;
    }
}
