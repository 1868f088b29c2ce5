namespace Microsoft.ML.KagPrompt.Metrics;

/// <summary>
/// Bootstrap over images with Poisson weights: every image counts 0, 1, 2 … times in a replicate, so images need not be kept.
/// </summary>
internal static class Bootstrap
{
    private const double Tail = 0.025;

    /// <summary>How often an image counts in each of so many replicates: Poisson with mean 1.</summary>
    public static int[] Weights(Random random, int replicates)
    {
        var weights = new int[replicates];
        for (var i = 0; i < replicates; i++)
        {
            for (var product = random.NextDouble(); product > 1 / Math.E; product *= random.NextDouble())
            {
                weights[i]++;
            }
        }

        return weights;
    }

    /// <summary>The value with the interval that replicates give it around their own centre.</summary>
    /// <param name="value">The exact value.</param>
    /// <param name="centre">The value as replicates are computed, without weights.</param>
    /// <param name="replicates">The replicates' values; NaN is left out.</param>
    public static Estimate Interval(double value, double centre, IEnumerable<double> replicates)
    {
        var sorted = replicates.Where(replicate => !double.IsNaN(replicate)).Order().ToArray();
        if (double.IsNaN(value) || sorted.Length == 0)
        {
            return Estimate.None with { Value = value };
        }

        double Quantile(double p) => sorted[(int)Math.Round(p * (sorted.Length - 1))];
        return new(value, Math.Clamp(value + Quantile(Tail) - centre, 0, value), Math.Clamp(value + Quantile(1 - Tail) - centre, value, 1));
    }
}
