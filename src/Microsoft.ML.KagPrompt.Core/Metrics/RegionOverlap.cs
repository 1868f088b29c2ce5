namespace Microsoft.ML.KagPrompt.Metrics;

/// <summary>Per-region overlap: how much of each connected defect is found, every defect counting alike whatever its size.</summary>
/// <remarks>NaN map values (pixels not inspected) are left out. Pure functions, thread-safe.</remarks>
public static class RegionOverlap
{
    private const int Steps = 200;
    private const double SteppedLimit = 0.3;

    /// <summary>Area under the mean per-region overlap as a function of the false positive rate, up to a limit and divided by it, in 0..1; exact over all thresholds.</summary>
    /// <param name="maps">n · height · width values, image after image; higher is more anomalous.</param>
    /// <param name="masks">True where defective; regions are 8-connected within an image.</param>
    /// <param name="width">Columns of a map.</param>
    /// <param name="height">Rows of a map.</param>
    /// <param name="limit">Largest false positive rate, in (0, 1]; 0.3 and 0.05 are usual.</param>
    /// <returns>NaN without a defective or without a normal pixel.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public static double Aupro(ReadOnlySpan<float> maps, ReadOnlySpan<bool> masks, int width, int height, double limit)
    {
        if (limit is not (> 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(limit), limit, "expected a rate above 0, at most 1");
        }

        var (weights, negatives) = Weights(maps, masks, width, height);
        if (weights is null || negatives == 0)
        {
            return double.NaN;
        }

        var values = maps.ToArray();
        Array.Sort(values, weights);
        var (area, overlap, falsePositives) = (0.0, 0.0, 0L);
        for (var i = values.Length - 1; i >= 0 && !float.IsNaN(values[i]);)
        {
            var (gained, wrong, value) = (0.0, 0L, values[i]);
            for (; i >= 0 && values[i] == value; i--)
            {
                gained += weights[i];
                wrong += weights[i] == 0 ? 1 : 0;
            }

            var (from, to) = ((double)falsePositives / negatives, (double)(falsePositives + wrong) / negatives);
            if (to > limit)
            {
                var cut = overlap + (gained * (limit - from) / (to - from));
                return (area + ((limit - from) * (overlap + cut) / 2)) / limit;
            }

            area += (to - from) * (overlap + (gained / 2));
            (overlap, falsePositives) = (overlap + gained, falsePositives + wrong);
        }

        return area / limit;
    }

    /// <summary>The published code's form: 200 equal threshold steps from the smallest to the largest value, pixels above the threshold, rates below 0.3 rescaled to 0..1 by their own smallest and largest.</summary>
    /// <inheritdoc cref="Aupro"/>
    public static double AuproStepped(ReadOnlySpan<float> maps, ReadOnlySpan<bool> masks, int width, int height)
    {
        var (weights, negatives) = Weights(maps, masks, width, height);
        if (weights is null || negatives == 0)
        {
            return double.NaN;
        }

        var values = maps.ToArray();
        Array.Sort(values, weights);
        var first = Array.FindIndex(values, value => !float.IsNaN(value));
        var (low, high) = ((double)values[first], (double)values[^1]);
        var points = new List<(double Rate, double Overlap)>();
        var (i, overlap, falsePositives) = (values.Length - 1, 0.0, 0L);
        for (var step = Steps - 1; step >= 0; step--)
        {
            var threshold = low + (step * (high - low) / Steps);
            for (; i >= first && values[i] > threshold; i--)
            {
                overlap += weights[i];
                falsePositives += weights[i] == 0 ? 1 : 0;
            }

            if ((double)falsePositives / negatives < SteppedLimit)
            {
                points.Add(((double)falsePositives / negatives, overlap));
            }
        }

        if (points.Count < 2 || points[^1].Rate == points[0].Rate)
        {
            return double.NaN;
        }

        var span = points[^1].Rate - points[0].Rate;
        return points.Zip(points.Skip(1), (a, b) => (b.Rate - a.Rate) / span * (a.Overlap + b.Overlap) / 2).Sum();
    }

    /// <summary>For each pixel what it adds to the mean overlap when found: 1 / (regions · its region's size); 0 where normal.</summary>
    private static (double[]? Weights, long Negatives) Weights(ReadOnlySpan<float> maps, ReadOnlySpan<bool> masks, int width, int height)
    {
        if (maps.Length != masks.Length || width < 1 || height < 1 || maps.Length % ((long)width * height) != 0)
        {
            throw new ArgumentException($"maps, masks: expected the same number of {width} x {height} images, got {maps.Length} and {masks.Length} values.", nameof(masks));
        }

        var region = ConnectedRegions.Label(masks, width, height, out var sizes);
        if (sizes.Count == 0)
        {
            return (null, 0);
        }

        var weights = new double[maps.Length];
        var negatives = 0L;
        for (var p = 0; p < weights.Length; p++)
        {
            weights[p] = masks[p] ? 1.0 / ((double)sizes.Count * sizes[region[p]]) : 0;
            negatives += masks[p] || float.IsNaN(maps[p]) ? 0 : 1;
        }

        return (weights, negatives);
    }
}
