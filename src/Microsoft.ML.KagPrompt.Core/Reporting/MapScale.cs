using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>How map values are drawn: which is darkest, which brightest, where the contour runs and how strongly each covers the image.</summary>
/// <remarks>Immutable. One scale for all maps of a class, so that their pictures can be compared.</remarks>
public sealed class MapScale
{
    /// <summary>Spreads of the probability to either side of the threshold: from 1 to 99 % of chance.</summary>
    private const float Reach = 4.6f;

    private const float MostOpaque = 0.7f;

    // What covers the image less is not seen.
    private const float LeastOpaque = 0.02f;

    private readonly Func<float, float>? chance;

    private MapScale(float low, float high, float threshold, Func<float, float>? chance) => (Low, High, Threshold, this.chance) = (low, high, threshold, chance);

    /// <summary>The value drawn darkest, as all below it.</summary>
    public float Low { get; }

    /// <summary>The value drawn brightest, as all above it; above <see cref="Low"/>.</summary>
    public float High { get; }

    /// <summary>Where the contour runs; NaN: nowhere.</summary>
    public float Threshold { get; }

    /// <summary>
    /// Around a class's map threshold, from 1 to 99 % of <see cref="ThresholdCalibration.ProbabilityOfMap"/>; opacity follows that chance. Where it cannot be told, from 0 to twice the
    /// threshold, and without a threshold from 0 to 1; opacity then follows the value.
    /// </summary>
    public static MapScale Of(ThresholdCalibration calibration)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        var (threshold, reach) = (calibration.MapThreshold, Reach * calibration.Scale);
        return reach > 0 && float.IsFinite(threshold + reach) ? new(threshold - reach, threshold + reach, threshold, calibration.ProbabilityOfMap)
            : threshold > 0 && float.IsFinite(threshold) ? new(0, 2 * threshold, threshold, null)
            : new(0, 1, threshold, null);
    }

    /// <summary>Between two values; opacity follows the value.</summary>
    /// <param name="low">The value drawn darkest.</param>
    /// <param name="high">The value drawn brightest.</param>
    /// <param name="threshold">Where the contour runs; NaN: nowhere.</param>
    /// <exception cref="ArgumentException">The values are no numbers, or do not ascend.</exception>
    public static MapScale Between(float low, float high, float threshold = float.NaN)
        => low < high && float.IsFinite(high - low) ? new(low, high, threshold, null) : throw new ArgumentException($"low, high: expected ascending numbers, got {low} and {high}.", nameof(high));

    /// <summary>Position on the ramp, in 0..1; NaN of NaN.</summary>
    public float Position(float value) => Math.Clamp((value - Low) / (High - Low), 0, 1);

    /// <summary>Chance of a defect, in 0..1; NaN where it cannot be told.</summary>
    public float Chance(float value) => chance?.Invoke(value) ?? float.NaN;

    /// <summary>How much of the image a value's colour covers, in 0..0.7.</summary>
    public float Opacity(float value)
    {
        var opacity = MostOpaque * (chance is null ? Position(value) : chance(value));
        return opacity < LeastOpaque ? 0 : opacity;
    }
}
