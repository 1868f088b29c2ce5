using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>Draws anomaly maps.</summary>
/// <remarks>Pure functions, thread-safe.</remarks>
public static class HeatmapRenderer
{
    // Anchor colours of a perceptually even ramp from dark violet to pale yellow.
    private static readonly byte[] Ramp =
        [0, 0, 4, 31, 12, 72, 85, 15, 109, 136, 34, 106, 186, 54, 85, 227, 89, 51, 249, 140, 10, 249, 201, 50, 252, 255, 164];

    /// <summary>The colour of a value in 0..1, dark to bright; beyond is clamped.</summary>
    public static (byte R, byte G, byte B) Color(float value)
    {
        var anchors = (Ramp.Length / 3) - 1;
        var position = Math.Clamp(value, 0, 1) * anchors;
        var first = Math.Min((int)position, anchors - 1);
        byte Channel(int c) => (byte)Math.Round(Ramp[(3 * first) + c] + ((position - first) * (Ramp[(3 * first) + 3 + c] - Ramp[(3 * first) + c])));
        return (Channel(0), Channel(1), Channel(2));
    }

    /// <summary>A map as a picture of its own size; NaN (not inspected) is hatched grey.</summary>
    /// <param name="map">width · height values.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="low">The value drawn darkest.</param>
    /// <param name="high">The value drawn brightest.</param>
    public static PixelBuffer Draw(ReadOnlySpan<float> map, int width, int height, float low, float high)
    {
        var rgb = new byte[width * height * 3];
        for (var p = 0; p < width * height; p++)
        {
            (rgb[3 * p], rgb[(3 * p) + 1], rgb[(3 * p) + 2]) = float.IsNaN(map[p]) ? Hatch(p % width, p / width) : Color((map[p] - low) / Math.Max(high - low, 1e-12f));
        }

        return new PixelBuffer(width, height, rgb);
    }

    /// <summary>The image with the map's colours over it, the stronger the higher the value; the map has the image's size.</summary>
    /// <inheritdoc cref="Draw"/>
    public static PixelBuffer Overlay(PixelBuffer image, ReadOnlySpan<float> map, float low, float high)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (map.Length != image.Width * image.Height)
        {
            throw new ArgumentException($"map: expected {image.Width} x {image.Height} values, got {map.Length}.", nameof(map));
        }

        var rgb = new byte[image.Rgb.Length];
        for (var p = 0; p < map.Length; p++)
        {
            var value = Math.Clamp((map[p] - low) / Math.Max(high - low, 1e-12f), 0, 1);
            var (r, g, b) = float.IsNaN(map[p]) ? Hatch(p % image.Width, p / image.Width) : Color(value);
            var alpha = float.IsNaN(map[p]) ? 0.5f : 0.75f * value;
            rgb[3 * p] = Blend(image.Rgb[3 * p], r, alpha);
            rgb[(3 * p) + 1] = Blend(image.Rgb[(3 * p) + 1], g, alpha);
            rgb[(3 * p) + 2] = Blend(image.Rgb[(3 * p) + 2], b, alpha);
        }

        return new PixelBuffer(image.Width, image.Height, rgb);
    }

    private static (byte R, byte G, byte B) Hatch(int x, int y) => ((x + y) / 4 % 2) == 0 ? ((byte)110, (byte)110, (byte)110) : ((byte)150, (byte)150, (byte)150);

    private static byte Blend(byte below, byte above, float alpha) => (byte)Math.Round(below + (alpha * (above - below)));
}
