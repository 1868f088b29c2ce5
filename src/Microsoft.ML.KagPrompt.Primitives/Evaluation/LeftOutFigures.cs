namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>
/// How far a class's synthetic defects score from its sound photographs, neither known to the memory. Methods have scores of their own
/// kinds: both figures are without a unit.
/// </summary>
internal static class LeftOutFigures
{
    /// <summary>Share of the pairs in order, a tie counting half.</summary>
    public static double? Separation(ThresholdCalibration calibration)
    {
        var (sound, defective) = (calibration.NormalScores, calibration.SyntheticScores);
        return sound.Count == 0 || defective.Count == 0 ? null
            : defective.Average(high => sound.Average(low => high > low ? 1 : high == low ? 0.5 : 0));
    }

    /// <summary>Distance of the means in pooled standard deviations.</summary>
    public static double? Distance(ThresholdCalibration calibration)
    {
        var (sound, defective) = (calibration.NormalScores, calibration.SyntheticScores);
        if (sound.Count < 2 || defective.Count < 2)
        {
            return null;
        }

        var spread = Math.Sqrt((Variance(sound) + Variance(defective)) / 2);
        return spread > 0 ? (defective.Average() - sound.Average()) / spread : null;
    }

    private static double Variance(IReadOnlyList<float> scores)
    {
        var mean = scores.Average();
        return scores.Sum(score => Math.Pow(score - mean, 2)) / (scores.Count - 1);
    }
}
