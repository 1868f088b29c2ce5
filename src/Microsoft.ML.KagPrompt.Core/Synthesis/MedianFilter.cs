using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Exact medians over a window that slides over a picture; beyond the border the nearest pixel counts.</summary>
/// <remarks>
/// Values are replaced by their ranks, and a histogram of ranks follows the window with the median tracked in it (Huang et al., 1979), so
/// that a step costs two window heights however large the window is.
/// </remarks>
internal static class MedianFilter
{
    /// <summary>OpenCV's medianBlur: square window of an odd side.</summary>
    public static byte[] Square(ReadOnlySpan<byte> image, int width, int height, int side)
    {
        var ranks = new int[image.Length];
        for (var i = 0; i < ranks.Length; i++)
        {
            ranks[i] = image[i];
        }

        var reach = new int[side];
        Array.Fill(reach, side / 2);
        return Array.ConvertAll(Slide(ranks, 256, 0, width, height, reach), rank => (byte)rank);
    }

    /// <summary>
    /// scikit-image's median with a disk footprint: pixels whose centre lies within <paramref name="radius"/>. Values are finite.
    /// </summary>
    public static double[] Disk(ReadOnlySpan<double> image, int width, int height, int radius)
    {
        var levels = new HashSet<double> { 0 };
        foreach (var value in image)
        {
            if (value != 0)
            {
                levels.Add(value);
            }
        }

        var sorted = levels.ToArray();
        Array.Sort(sorted);
        var rankOf = new Dictionary<double, int>(sorted.Length);
        for (var rank = 0; rank < sorted.Length; rank++)
        {
            rankOf[sorted[rank]] = rank;
        }

        var zero = rankOf[0];
        var ranks = new int[image.Length];
        for (var i = 0; i < ranks.Length; i++)
        {
            ranks[i] = image[i] == 0 ? zero : rankOf[image[i]];
        }

        var reach = new int[(2 * radius) + 1];
        for (var dy = -radius; dy <= radius; dy++)
        {
            reach[dy + radius] = (int)Math.Sqrt((radius * radius) - (dy * dy));
        }

        return Array.ConvertAll(Slide(ranks, sorted.Length, zero, width, height, reach), rank => sorted[rank]);
    }

    /// <param name="ranks">Row by row, in 0 … <paramref name="levels"/> − 1.</param>
    /// <param name="levels">Number of ranks.</param>
    /// <param name="ground">Of most pixels where there are any others: windows of it alone are passed over.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="reach">For each row of the window how far it extends to both sides; the number of pixels is odd.</param>
    private static int[] Slide(int[] ranks, int levels, int ground, int width, int height, int[] reach)
    {
        var result = new int[ranks.Length];
        Array.Fill(result, ground);
        var (left, top, right, bottom) = Near(ranks, ground, width, height, reach.Length / 2);
        var histogram = new int[levels];
        var rows = new int[reach.Length];
        var middle = reach.Sum(r => (2 * r) + 1) / 2;
        for (var y = top; y < bottom; y++)
        {
            Array.Clear(histogram);
            for (var k = 0; k < reach.Length; k++)
            {
                rows[k] = Math.Clamp(y + k - (reach.Length / 2), 0, height - 1) * width;
                for (var dx = -reach[k]; dx <= reach[k]; dx++)
                {
                    histogram[ranks[rows[k] + Math.Clamp(left + dx, 0, width - 1)]]++;
                }
            }

            var (median, below) = (0, 0);
            for (var x = left; ; x++)
            {
                for (; below > middle; below -= histogram[median])
                {
                    median--;
                }

                for (; below + histogram[median] <= middle; median++)
                {
                    below += histogram[median];
                }

                result[(y * width) + x] = median;
                if (x == right - 1)
                {
                    break;
                }

                for (var k = 0; k < reach.Length; k++)
                {
                    var leaving = ranks[rows[k] + Math.Max(x - reach[k], 0)];
                    var entering = ranks[rows[k] + Math.Min(x + 1 + reach[k], width - 1)];
                    histogram[leaving]--;
                    histogram[entering]++;
                    below += (entering < median ? 1 : 0) - (leaving < median ? 1 : 0);
                }
            }
        }

        return result;
    }

    /// <summary>The rectangle outside which no window has anything but the ground; empty where there is nothing else.</summary>
    private static (int Left, int Top, int Right, int Bottom) Near(int[] ranks, int ground, int width, int height, int radius)
    {
        var (left, top, right, bottom) = (width, height, 0, 0);
        for (var y = 0; y < height; y++)
        {
            var row = ranks.AsSpan(y * width, width);
            if (row.IndexOfAnyExcept(ground) is var first and >= 0)
            {
                (left, right) = (Math.Min(left, first), Math.Max(right, row.LastIndexOfAnyExcept(ground) + 1));
                (top, bottom) = (Math.Min(top, y), y + 1);
            }
        }

        return bottom == 0 ? default : (Math.Max(0, left - radius), Math.Max(0, top - radius), Math.Min(width, right + radius),
            Math.Min(height, bottom + radius));
    }
}
