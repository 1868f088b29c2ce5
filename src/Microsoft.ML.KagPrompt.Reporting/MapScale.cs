using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>
/// How map values are drawn: which is darkest, which brightest, where the contour runs and how strongly each covers the image.
/// </summary>
/// <remarks>Immutable. One scale for all maps of a class, so that their pictures can be compared.</remarks>
public sealed class MapScale
{
    /// <summary>Spreads of the probability from the threshold to where the chance is 99 %.</summary>
    private const float Reach = 4.6f;

    private const float MostOpaque = 0.6f;

    // What covers the image less is not seen.
    private const float LeastOpaque = 0.02f;

    private readonly Func<float, float>? chance;

    private MapScale(float low, float high, float threshold, Func<float, float>? chance)
        => (Low, High, Threshold, this.chance) = (low, high, threshold, chance);

    /// <summary>The value drawn darkest, as all below it.</summary>
    public float Low { get; }

    /// <summary>The value drawn brightest, as all above it; above <see cref="Low"/>.</summary>
    public float High { get; }

    /// <summary>Where the contour runs; NaN: nowhere.</summary>
    public float Threshold { get; }

    /// <summary>
    /// For the maps of a class: brightest where a typical defect lies (the median score of those
    /// the calibration knows) or a defect is all but certain, whichever is higher; the map's threshold at a third of the ramp or above.
    /// Opacity follows <see cref="ThresholdCalibration.ProbabilityOfMap"/>. Where that cannot be told, from 0 to twice the threshold,
    /// and without a threshold from 0 to 1; opacity then follows the value.
    /// </summary>
    public static MapScale ForCalibration(ThresholdCalibration calibration)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        var (threshold, reach) = (calibration.MapThreshold, Reach * calibration.Scale);
        if (!(reach > 0) || !float.IsFinite(threshold + reach))
        {
            return threshold > 0 && float.IsFinite(threshold) ? new(0, 2 * threshold, threshold, null) : new(0, 1, threshold, null);
        }

        var defects = calibration.AnomalousScores.Count > 0 ? calibration.AnomalousScores : calibration.SyntheticScores;
        var typical = defects.Count > 0 ? defects[defects.Count / 2] - calibration.Threshold : 0;
        var above = float.IsFinite(typical) ? Math.Max(reach, typical) : reach;
        var low = threshold - Math.Max(reach, above / 2);
        // Maps are not negative: below a threshold above 0 nothing is.
        return new(threshold > 0 ? Math.Max(0, low) : low, threshold + above, threshold, calibration.ProbabilityOfMap);
    }

    /// <summary>Between two values; opacity follows the value.</summary>
    /// <param name="low">The value drawn darkest.</param>
    /// <param name="high">The value drawn brightest.</param>
    /// <param name="threshold">Where the contour runs; NaN: nowhere.</param>
    /// <exception cref="ArgumentException">The values are no numbers, or do not ascend.</exception>
    public static MapScale Between(float low, float high, float threshold = float.NaN)
        => low < high && float.IsFinite(high - low)
            ? new(low, high, threshold, null)
            : throw new ArgumentException(
                FormattableString.Invariant($"low, high: expected ascending numbers, got {low} and {high}."), nameof(high));

    /// <summary>Position on the ramp, in 0..1; NaN of NaN.</summary>
    public float Position(float value) => Math.Clamp((value - Low) / (High - Low), 0, 1);

    /// <summary>Chance of a defect, in 0..1; NaN where it cannot be told.</summary>
    public float Chance(float value) => chance?.Invoke(value) ?? float.NaN;

    /// <summary>How much of the image a value's colour covers, in 0..0.6.</summary>
    public float Opacity(float value)
    {
        var opacity = MostOpaque * (chance is null ? Position(value) : chance(value));
        return opacity < LeastOpaque ? 0 : opacity;
    }
}
