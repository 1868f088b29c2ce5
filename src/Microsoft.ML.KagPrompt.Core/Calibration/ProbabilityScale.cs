namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>How fast the chance of a defect rises with the score around the threshold.</summary>
internal static class ProbabilityScale
{
    // The median normal image has a chance between these of being called a defect, whatever the scores say.
    private const double LeastOdds = 1.0 / 999;
    private const double MostOdds = 1.0 / 3;
    private const double UsualOdds = 1.0 / 19;
    private const int Steps = 60;

    /// <summary>
    /// The scale of a logistic curve through 0.5 at the threshold that makes the scores likeliest, sound and defective ones weighing alike;
    /// NaN where nothing tells it.
    /// </summary>
    public static float Compute(float threshold, IReadOnlyList<float> normal, IReadOnlyList<float> defective)
    {
        if (normal.Count == 0 || float.IsNaN(threshold))
        {
            return float.NaN;
        }

        // A threshold no higher than the normal scores (a hard choice by F1) leaves the spread of all as a measure.
        var gap = threshold - normal.Order().ElementAt(normal.Count / 2);
        var reach = gap > 0 ? gap : Math.Max(normal.Concat(defective).Max() - normal.Concat(defective).Min(), 1e-6f);
        var (low, high) = (-Math.Log(MostOdds) / reach, -Math.Log(LeastOdds) / reach);
        if (defective.Count == 0)
        {
            return (float)(reach / -Math.Log(UsualOdds));
        }

        // The loss is convex in the steepness 1 / scale.
        for (var i = 0; i < Steps; i++)
        {
            var (one, other) = (low + ((high - low) / 3), high - ((high - low) / 3));
            (low, high) = Loss(one) < Loss(other) ? (low, other) : (one, high);
        }

        return (float)(2 / (low + high));

        double Loss(double steepness) => normal.Average(score => Softplus(steepness * (score - threshold)))
            + defective.Average(score => Softplus(steepness * (threshold - score)));
    }

    private static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));
}
