namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>
/// Bicubic resampling with antialiasing on 8-bit pixels, bit for bit as Pillow's: rows first, then columns, rounded to 8 bits after each.
/// </summary>
internal static class BicubicResampler
{
    // Pillow's fixed point: 8 bits of pixel and 2 of headroom leave 22 of 32 for the weights.
    private const int Precision = 32 - 8 - 2;
    private const double Support = 2.0;

    /// <summary>Resizes to width × height and returns the part of it that begins at (left, top).</summary>
    public static PixelBuffer Resize(PixelBuffer source, int width, int height, int left, int top, int partWidth, int partHeight)
    {
        var horizontal = Weights(source.Width, width, left, partWidth);
        var vertical = Weights(source.Height, height, top, partHeight);

        // Only the rows the second pass reads.
        var firstRow = vertical.First[0];
        var rows = vertical.First[^1] + vertical.Count[^1] - firstRow;
        var middle = width == source.Width && left == 0 && partWidth == width
            ? source.Rgb.AsSpan(firstRow * source.Width * 3, rows * source.Width * 3).ToArray()
            : Horizontal(source, horizontal, firstRow, rows, partWidth);
        var result = height == source.Height && top == 0 && partHeight == height
            ? middle
            : Vertical(middle, vertical, firstRow, partWidth, partHeight);
        return new PixelBuffer(partWidth, partHeight, result);
    }

    private static byte[] Horizontal(PixelBuffer source, Taps taps, int firstRow, int rows, int partWidth)
    {
        var result = new byte[rows * partWidth * 3];
        for (var y = 0; y < rows; y++)
        {
            var row = source.Rgb.AsSpan((firstRow + y) * source.Width * 3, source.Width * 3);
            for (var x = 0; x < partWidth; x++)
            {
                var weights = taps.At(x);
                var pixels = row.Slice(taps.First[x] * 3, weights.Length * 3);
                var (r, g, b) = (1 << (Precision - 1), 1 << (Precision - 1), 1 << (Precision - 1));
                for (var k = 0; k < weights.Length; k++)
                {
                    var weight = weights[k];
                    r += pixels[3 * k] * weight;
                    g += pixels[(3 * k) + 1] * weight;
                    b += pixels[(3 * k) + 2] * weight;
                }

                var at = ((y * partWidth) + x) * 3;
                result[at] = Clip(r);
                result[at + 1] = Clip(g);
                result[at + 2] = Clip(b);
            }
        }

        return result;
    }

    private static byte[] Vertical(byte[] middle, Taps taps, int firstRow, int partWidth, int partHeight)
    {
        var stride = partWidth * 3;
        var result = new byte[partHeight * stride];
        var sums = new int[stride];
        for (var y = 0; y < partHeight; y++)
        {
            Array.Fill(sums, 1 << (Precision - 1));
            var weights = taps.At(y);
            for (var k = 0; k < weights.Length; k++)
            {
                var weight = weights[k];
                var row = middle.AsSpan((taps.First[y] + k - firstRow) * stride, stride);
                for (var i = 0; i < row.Length; i++)
                {
                    sums[i] += row[i] * weight;
                }
            }

            var target = result.AsSpan(y * stride, stride);
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = Clip(sums[i]);
            }
        }

        return result;
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> Precision, 0, 255);

    private static Taps Weights(int size, int target, int start, int count)
    {
        var scale = (double)size / target;
        var stretch = Math.Max(scale, 1.0);
        var support = Support * stretch;
        var widest = ((int)Math.Ceiling(support) * 2) + 1;
        var taps = new Taps(new int[count], new int[count], new int[checked(count * widest)], widest);
        var weights = new double[widest];
        for (var i = 0; i < count; i++)
        {
            var centre = (start + i + 0.5) * scale;
            var first = Math.Max((int)(centre - support + 0.5), 0);
            var length = Math.Min((int)(centre + support + 0.5), size) - first;
            var total = 0.0;
            for (var k = 0; k < length; k++)
            {
                weights[k] = Cubic((k + first - centre + 0.5) * (1.0 / stretch));
                total += weights[k];
            }

            (taps.First[i], taps.Count[i]) = (first, length);
            for (var k = 0; k < length; k++)
            {
                var weight = total != 0.0 ? weights[k] / total : weights[k];
                taps.Values[(i * widest) + k] = (int)((weight * (1 << Precision)) + (weight < 0 ? -0.5 : 0.5));
            }
        }

        return taps;
    }

    /// <summary>Keys' cubic with a = −1/2.</summary>
    private static double Cubic(double x)
    {
        const double A = -0.5;
        x = Math.Abs(x);
        return x < 1.0 ? ((((A + 2.0) * x) - (A + 3.0)) * x * x) + 1
            : x < 2.0 ? ((((x - 5) * x) + 8) * x - 4) * A
            : 0.0;
    }

    private sealed record Taps(int[] First, int[] Count, int[] Values, int Stride)
    {
        public ReadOnlySpan<int> At(int i) => Values.AsSpan(i * Stride, Count[i]);
    }
}
