namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Medians over a square of bytes and over a disk of values; pixels beyond the border repeat the nearest one.</summary>
internal static class MedianFilter
{
    /// <summary>k × k median of bytes, k odd: a histogram slid along each row.</summary>
    public static byte[] Square(ReadOnlySpan<byte> image, int width, int height, int k)
    {
        var result = new byte[image.Length];
        var reach = k / 2;
        var half = (k * k) / 2;
        Span<int> histogram = stackalloc int[256];
        for (var y = 0; y < height; y++)
        {
            histogram.Clear();
            for (var dx = -reach; dx <= reach; dx++)
            {
                AddColumn(image, histogram, dx, y, width, height, reach, +1);
            }

            for (var x = 0; x < width; x++)
            {
                var (below, value) = (0, 0);
                while ((below += histogram[value]) <= half)
                {
                    value++;
                }

                result[(y * width) + x] = (byte)value;
                AddColumn(image, histogram, x - reach, y, width, height, reach, -1);
                AddColumn(image, histogram, x + reach + 1, y, width, height, reach, +1);
            }
        }

        return result;
    }

    /// <summary>Median of values ≥ 0 over a disk of the given radius.</summary>
    public static double[] Disk(ReadOnlySpan<double> image, int width, int height, int radius)
    {
        var offsets = (from dy in Enumerable.Range(-radius, (2 * radius) + 1)
                       from dx in Enumerable.Range(-radius, (2 * radius) + 1)
                       where (dx * dx) + (dy * dy) <= radius * radius
                       select (dx, dy)).ToArray();
        var middle = offsets.Length / 2;
        var result = new double[image.Length];
        var window = new double[offsets.Length];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (count, zeros) = (0, 0);
                foreach (var (dx, dy) in offsets)
                {
                    var value = image[(Math.Clamp(y + dy, 0, height - 1) * width) + Math.Clamp(x + dx, 0, width - 1)];
                    if (value == 0)
                    {
                        zeros++;
                    }
                    else
                    {
                        window[count++] = value;
                    }
                }

                // Most of a change map is zero: where zeros are the majority nothing needs sorting.
                if (zeros <= middle)
                {
                    Array.Sort(window, 0, count);
                    result[(y * width) + x] = window[middle - zeros];
                }
            }
        }

        return result;
    }

    private static void AddColumn(ReadOnlySpan<byte> image, Span<int> histogram, int x, int y, int width, int height, int reach, int sign)
    {
        x = Math.Clamp(x, 0, width - 1);
        for (var dy = -reach; dy <= reach; dy++)
        {
            histogram[image[(Math.Clamp(y + dy, 0, height - 1) * width) + x]] += sign;
        }
    }
}
