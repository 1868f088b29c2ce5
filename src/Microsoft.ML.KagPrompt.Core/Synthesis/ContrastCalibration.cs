using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Fits the label's logistic curve to a product from its normal images.</summary>
/// <remarks>
/// NSA chose (k, x0) by eye for each product. For a product it does not know: a change is seen once it exceeds the fluctuation
/// the surface shows anyway at the same scale. So the label passes 0.3, where the mask begins, at the local contrast:
/// the mean standard deviation of grey levels within 11 × 11 pixels, the reach of the label's own median.
/// The curve keeps the form of NSA's default, k · x0 = 2. The contrast is held between 3 grey levels, below which nobody sees a change on
/// any surface, and 13.8, where the default curve passes 0.3.
/// </remarks>
internal static class ContrastCalibration
{
    private const int Reach = 5;
    private const double SteepnessTimesMidpoint = 2;
    private const double MaskLabel = 0.3;
    private const double LeastVisibleChange = 3;
    private const double DefaultMidpoint = 24;

    // logistic(k, x0) = 0.3 at x0 − ln(0.7 / 0.3) / k, which is this share of x0.
    private static readonly double MaskShare = 1 - (Math.Log((1 - MaskLabel) / MaskLabel) / SteepnessTimesMidpoint);

    /// <summary>The options with the curve that fits the images, or their pixels inside.</summary>
    public static SynthesisOptions Fit(SynthesisOptions options, IReadOnlyList<PixelBuffer> normals, bool[]? inside = null)
    {
        var contrasts = normals.Select(image => LocalContrast(image, inside)).Order().ToArray();
        var visible = Math.Clamp(contrasts[contrasts.Length / 2], LeastVisibleChange, DefaultMidpoint * MaskShare);
        var midpoint = visible / MaskShare;
        return options with { LogisticMidpoint = midpoint, LogisticSteepness = SteepnessTimesMidpoint / midpoint };
    }

    /// <summary>
    /// Mean over the pixels of the standard deviation of grey levels around each;
    /// windows are clipped to the image, and to the pixels inside.
    /// </summary>
    public static double LocalContrast(PixelBuffer image, bool[]? inside = null)
    {
        var (width, height) = (image.Width, image.Height);
        var (sums, squares) = Integrals(GreyLevels.Compute(image), width, height, inside);
        var counts = inside is null
            ? null
            : Integrals(Array.ConvertAll(inside, isInside => (byte)(isInside ? 1 : 0)), width, height, null).Sums;
        var total = 0.0;
        for (var y = 0; y < height; y++)
        {
            var (top, bottom) = (Math.Max(y - Reach, 0), Math.Min(y + Reach + 1, height));
            for (var x = 0; x < width; x++)
            {
                if (inside is not null && !inside[(y * width) + x])
                {
                    continue;
                }

                var (left, right) = (Math.Max(x - Reach, 0), Math.Min(x + Reach + 1, width));
                double count = counts is null ? (right - left) * (bottom - top) : Window(counts);
                var mean = Window(sums) / count;
                total += Math.Sqrt(Math.Max((Window(squares) / count) - (mean * mean), 0));

                long Window(long[] integral) => integral[(bottom * (width + 1)) + right] - integral[(top * (width + 1)) + right]
                    - integral[(bottom * (width + 1)) + left] + integral[(top * (width + 1)) + left];
            }
        }

        return total / (inside is null ? (double)width * height : inside.Count(isInside => isInside));
    }

    private static (long[] Sums, long[] Squares) Integrals(byte[] grey, int width, int height, bool[]? inside)
    {
        var stride = width + 1;
        var sums = new long[stride * (height + 1)];
        var squares = new long[sums.Length];
        for (var y = 0; y < height; y++)
        {
            long sum = 0, square = 0;
            for (var x = 0; x < width; x++)
            {
                var level = inside is null || inside[(y * width) + x] ? grey[(y * width) + x] : 0;
                var i = ((y + 1) * stride) + x + 1;
                sums[i] = sums[i - stride] + (sum += level);
                squares[i] = squares[i - stride] + (square += level * level);
            }
        }

        return (sums, squares);
    }
}
