using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>From what a blend changed to how strongly each pixel counts as defective.</summary>
internal static class SynthesisLabel
{
    private const int Radius = 5;

    /// <summary>Logistic of the median-filtered mean absolute change, where the change exceeds one grey level; the mask is where that exceeds the threshold.</summary>
    public static SyntheticImage Of(PixelBuffer before, PixelBuffer after, SynthesisOptions options, double threshold)
    {
        var (width, height) = (before.Width, before.Height);
        var change = new double[width * height];
        var (left, top, right, bottom) = (width, height, -1, -1);
        for (var p = 0; p < change.Length; p++)
        {
            change[p] = (Math.Abs(after.Rgb[3 * p] - before.Rgb[3 * p]) + Math.Abs(after.Rgb[(3 * p) + 1] - before.Rgb[(3 * p) + 1]) + Math.Abs(after.Rgb[(3 * p) + 2] - before.Rgb[(3 * p) + 2])) / 3.0;
            if (change[p] > 0)
            {
                (left, top, right, bottom) = (Math.Min(left, p % width), Math.Min(top, p / width), Math.Max(right, p % width), Math.Max(bottom, p / width));
            }
        }

        var (label, mask) = (new float[change.Length], new bool[change.Length]);
        if (right >= 0)
        {
            // A margin of the filter's reach: beyond it everything is zero, and so is every median.
            (left, top) = (Math.Max(0, left - (2 * Radius)), Math.Max(0, top - (2 * Radius)));
            (right, bottom) = (Math.Min(width - 1, right + (2 * Radius)), Math.Min(height - 1, bottom + (2 * Radius)));
            Fill(change, width, left, top, right - left + 1, bottom - top + 1, options, threshold, label, mask);
        }

        return new SyntheticImage(after, label, mask);
    }

    private static void Fill(double[] change, int stride, int left, int top, int width, int height, SynthesisOptions options, double threshold, float[] label, bool[] mask)
    {
        var window = new double[width * height];
        var changed = new byte[window.Length];
        for (var y = 0; y < height; y++)
        {
            change.AsSpan(((top + y) * stride) + left, width).CopyTo(window.AsSpan(y * width));
        }

        for (var p = 0; p < window.Length; p++)
        {
            changed[p] = window[p] > 1 ? (byte)1 : (byte)0;
        }

        var smooth = MedianFilter.Disk(window, width, height, Radius);
        var solid = MedianFilter.Square(changed, width, height, 5);
        for (var p = 0; p < window.Length; p++)
        {
            var weight = solid[p] / (1 + Math.Exp(-options.LogisticSlope * (smooth[p] - options.LogisticMidpoint)));
            var at = ((top + (p / width)) * stride) + left + (p % width);
            (label[at], mask[at]) = ((float)weight, weight > threshold);
        }
    }
}
