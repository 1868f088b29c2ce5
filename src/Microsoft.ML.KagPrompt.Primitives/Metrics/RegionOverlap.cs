using Microsoft.ML.KagPrompt.Metrics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Per-region overlap: how much of each connected defect is found, every defect counting alike whatever its size.</summary>
/// <remarks>NaN map values (pixels not inspected) are left out. Pure functions, thread-safe.</remarks>
public static class RegionOverlap
{
    /// <summary>
    /// Area under the mean per-region overlap as a function of the false positive rate, up to a limit and divided by it, in 0..1;
    /// exact over all thresholds.
    /// </summary>
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

        return Curve(maps, masks, width, height).Aupro(limit);
    }

    /// <summary>
    /// The published code's form: 200 equal threshold steps from the smallest to the largest value, pixels above the threshold,
    /// rates below 0.3 rescaled to 0..1 by their own smallest and largest.
    /// </summary>
    /// <inheritdoc cref="Aupro"/>
    public static double AuproStepped(ReadOnlySpan<float> maps, ReadOnlySpan<bool> masks, int width, int height)
        => Curve(maps, masks, width, height).AuproStepped();

    private static ScoreCurve Curve(ReadOnlySpan<float> maps, ReadOnlySpan<bool> masks, int width, int height)
    {
        if (maps.Length != masks.Length || width < 1 || height < 1 || maps.Length % ((long)width * height) != 0)
        {
            throw new ArgumentException(
                $"maps, masks: expected the same number of {width} x {height} images, got {maps.Length} and {masks.Length} values.",
                nameof(masks));
        }

        var region = ConnectedRegions.Label(masks, width, height, out var sizes);
        return ScoreCurve.Build(maps.ToArray(), [.. region.Select(label => label < 0 ? double.NaN : 1.0 / sizes[label])], sizes.Count);
    }
}
