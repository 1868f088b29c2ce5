using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>Where a map says that something is wrong: its 8-connected regions above a threshold.</summary>
/// <remarks>Pure functions, thread-safe.</remarks>
public static class AnomalyRegions
{
    /// <summary>
    /// The regions above the calibration's <see cref="ThresholdCalibration.MapThreshold"/>,
    /// with <see cref="ThresholdCalibration.ProbabilityOfMap"/> of their peaks.
    /// </summary>
    /// <inheritdoc cref="Find(ReadOnlySpan{float}, int, int, float, Func{float, float}?)"/>
    /// <param name="map">width · height values, row by row; NaN (not inspected) belongs to no region.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="calibration">Of the class that the map was made for.</param>
    public static IReadOnlyList<AnomalyRegion> Find(ReadOnlySpan<float> map, int width, int height, ThresholdCalibration calibration)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        return Find(map, width, height, calibration.MapThreshold, calibration.ProbabilityOfMap);
    }

    /// <summary>The regions above a threshold.</summary>
    /// <param name="map">width · height values, row by row; NaN (not inspected) belongs to no region.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="threshold">Values above it count; NaN: none do.</param>
    /// <param name="probability">The chance that a value means a defect; null: not known.</param>
    /// <returns>Highest peak first; equal ones in reading order of their first pixels.</returns>
    /// <exception cref="ArgumentException">The map does not fit the size.</exception>
    public static IReadOnlyList<AnomalyRegion> Find(
        ReadOnlySpan<float> map, int width, int height, float threshold, Func<float, float>? probability = null)
    {
        MapSize.Require(map, width, height);
        var above = new bool[map.Length];
        for (var p = 0; p < map.Length; p++)
        {
            above[p] = map[p] > threshold;
        }

        var label = ConnectedRegions.Label(above, width, height, out var sizes);
        var regions = new Extent[sizes.Count];
        for (var p = 0; p < map.Length; p++)
        {
            if (label[p] >= 0)
            {
                regions[label[p]] = (regions[label[p]] ?? new Extent()).With(p % width, p / width, map[p]);
            }
        }

        // OrderBy is stable.
        return [.. regions.Select((region, i) => region.ToRegion(sizes[i], probability)).OrderByDescending(region => region.Peak)];
    }

    /// <summary>A region while its pixels are met in reading order.</summary>
    private sealed class Extent
    {
        private int left = int.MaxValue;
        private int right = -1;
        private int top = -1;
        private int bottom;
        private (float Value, int X, int Y) peak = (float.NegativeInfinity, 0, 0);

        public Extent With(int x, int y, float value)
        {
            (left, right, top, bottom) = (Math.Min(left, x), Math.Max(right, x), top < 0 ? y : top, y);
            peak = value > peak.Value ? (value, x, y) : peak;
            return this;
        }

        public AnomalyRegion ToRegion(int area, Func<float, float>? probability)
            => new(left, top, right - left + 1, bottom - top + 1, area,
                peak.Value, peak.X, peak.Y, probability?.Invoke(peak.Value) ?? float.NaN);
    }
}
