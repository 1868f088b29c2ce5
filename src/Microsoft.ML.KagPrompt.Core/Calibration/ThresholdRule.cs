using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>Decision thresholds from scores.</summary>
/// <param name="options">By what they are placed.</param>
/// <param name="supports">Images in the bank.</param>
/// <param name="leftOut">How many of the normal scores, the first, are of supports against the others.</param>
internal sealed class ThresholdRule(ThresholdOptions options, int supports, int leftOut)
{
    // So many normal scores tell their distribution themselves.
    private const int ManyScores = 40;

    /// <summary>
    /// The threshold, how it came about, and the normal scores expected where a model of them was needed; NaN where nothing tells one.
    /// </summary>
    /// <param name="normal">Scores of normal images that the bank did not know: supports first.</param>
    /// <param name="labelled">Of labelled defects, ascending.</param>
    /// <param name="synthetic">Of synthetic defects, ascending.</param>
    /// <param name="itself">Of one support or two, each against its own views and halves; none where there are more.</param>
    public (string Method, float Threshold, NormalScoreModel? Model) Place(
        float[] normal, float[] labelled, float[] synthetic, float[][] itself)
    {
        var model = Model(normal, synthetic, itself);
        switch (options.By)
        {
            case ThresholdChoice.Auto or ThresholdChoice.LargestF1 when labelled.Length > 0:
                return ("largest F1 on the labelled images", FromLabels(normal, labelled), model);
            case ThresholdChoice.LargestF1 when normal.Length >= 2 && synthetic.Length > 0:
                return ("largest F1 on normal images and synthetic defects", FromLabels(normal, synthetic), model);
            case var _ when model is not null:
                return ByModel(model, normal.Length, options.FalseRejectRate);
            case var _ when normal.Length >= 2:
                var (method, threshold) = FromNormals(normal, options.FalseRejectRate);
                return (method, threshold, null);
            default:
                return ("nothing to place it by: one normal image, all of which looks alike", float.NaN, null);
        }
    }

    private NormalScoreModel? Model(float[] normal, float[] synthetic, float[][] itself)
        => normal.Concat(synthetic).Any(score => score <= 0) || normal.Length >= ManyScores ? null
            : normal.Length == 0 ? NormalScoreEstimate.FromOne(itself[0], synthetic)
            : (itself.Length == 2 ? NormalScoreEstimate.FromTwo(normal, itself, synthetic) : null)
                ?? NormalScoreEstimate.FromNormals(normal[..leftOut], normal[leftOut..], synthetic, supports);

    private static (string Method, float Threshold, NormalScoreModel Model) ByModel(NormalScoreModel model, int count, float rate)
    {
        var method = count == 2 && model.AllowedError is not null
            ? "2 normal scores, each against the other image and against its own views and halves, and how such scores usually spread"
            : count > 0 ? $"{count} normal score(s), each against other images, and how such scores usually spread"
            : "the only normal image against its own views and halves, and how far below those normal images usually score";
        return (method, model.Threshold(rate), model);
    }

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
    /// A bound the next normal image's score exceeds with probability <paramref name="falseRejectRate"/>:
    /// the conformal rank where there are enough scores (n ≥ 1/rate − 1), else the one-sided prediction bound mean + t·s·√(1 + 1/n) of a
    /// normal distribution, but no less than the largest score: one beyond the bound shows that the tail is heavier than the bound assumes.
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

    /// <summary>
    /// A class's calibration with its threshold placed by <see cref="FromNormals"/> from the normal scores it keeps;
    /// the maps' threshold moves as far.
    /// </summary>
    public static ThresholdCalibration Recalibrated(string className, ThresholdCalibration calibration, float falseRejectRate)
    {
        var defects = calibration.AnomalousScores.Count > 0 ? calibration.AnomalousScores : calibration.SyntheticScores;
        if (calibration.ScoreModel is { } model)
        {
            var placed = ByModel(model, calibration.NormalScores.Count, falseRejectRate);
            var scores = calibration.NormalScores.Count > 0 ? calibration.NormalScores : [model.Middle];
            return calibration.At(placed.Threshold) with
            {
                Method = placed.Method,
                Scale = ProbabilityScale.Compute(placed.Threshold, scores, defects),
            };
        }

        if (calibration.NormalScores.Count < 2)
        {
            throw new InsufficientDataException($"Class '{className}' keeps {calibration.NormalScores.Count} normal score(s): "
                + "expected at least 2 to place a threshold by the share of normal parts it rejects. "
                + "Set the threshold itself, or fit with more normal images.");
        }

        var (method, threshold) = FromNormals(calibration.NormalScores, falseRejectRate);
        return calibration.At(threshold) with
        {
            Method = method,
            Scale = ProbabilityScale.Compute(threshold, calibration.NormalScores, defects),
        };
    }

    /// <summary>A float that separates the two: at least the lower, below the upper.</summary>
    private static float Between(float lower, float upper)
    {
        var middle = (float)(((double)lower + upper) / 2);
        return middle < upper ? middle : lower;
    }
}
