using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>
/// Draws anomaly maps. What lies above the scale's threshold is outlined, white in black, so that it shows on bright and dark images;
/// what was not inspected (NaN) is hatched grey. <see cref="LegendRenderer"/> draws the scale.
/// </summary>
/// <remarks>Pure functions, thread-safe. Lines are a pixel thick, and thicker on pictures of more than 900 pixels a side.</remarks>
public static class HeatmapRenderer
{
    /// <summary>A map as a picture of its own size.</summary>
    /// <param name="map">width · height values.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="scale">Which value is darkest, which brightest, where the contour runs.</param>
    /// <exception cref="ArgumentException">The map does not fit the size.</exception>
    public static PixelBuffer Draw(ReadOnlySpan<float> map, int width, int height, MapScale scale)
    {
        ArgumentNullException.ThrowIfNull(scale);
        var layer = MapLayer.Draw(map, width, height, scale, isOpaque: true, []);
        return layer.Over(new PixelBuffer(width, height, new byte[width * height * 3]));
    }

    /// <summary>The image with the map's colours over it, as opaque as the scale says.</summary>
    /// <param name="image">The image.</param>
    /// <param name="map">A value for each of its pixels.</param>
    /// <param name="scale">Colours, opacity, and where the contour runs.</param>
    /// <param name="truth">Where a defect truly is, outlined in blue; empty: not known.</param>
    /// <exception cref="ArgumentException">The map or the truth does not fit the image.</exception>
    public static PixelBuffer Overlay(PixelBuffer image, ReadOnlySpan<float> map, MapScale scale, ReadOnlySpan<bool> truth = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(scale);
        return MapLayer.Over(image, map, scale, truth);
    }

    /// <summary>As <see cref="Overlay"/>, without the image: a PNG, transparent where nothing is found, to be laid over it.</summary>
    /// <param name="map">width · height values.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="scale">Colours, opacity, and where the contour runs.</param>
    /// <param name="truth">Where a defect truly is, outlined in blue; empty: not known.</param>
    /// <exception cref="ArgumentException">The map or the truth does not fit the size.</exception>
    public static byte[] OverlayPng(ReadOnlySpan<float> map, int width, int height, MapScale scale, ReadOnlySpan<bool> truth = default)
    {
        ArgumentNullException.ThrowIfNull(scale);
        return Png.Encode(MapLayer.Draw(map, width, height, scale, isOpaque: false, truth));
    }

    /// <summary>
    /// The values themselves: a grey PNG of 16 bits, 0 to 65535 for 0 to 1; beyond is clamped, and what was not inspected is 0.
    /// </summary>
    /// <param name="map">width · height values.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <exception cref="ArgumentException">The map does not fit the size.</exception>
    public static byte[] GrayPng(ReadOnlySpan<float> map, int width, int height)
    {
        MapSize.Require(map, width, height);
        var levels = new ushort[map.Length];
        for (var p = 0; p < map.Length; p++)
        {
            levels[p] = float.IsNaN(map[p]) ? (ushort)0 : (ushort)MathF.Round(Math.Clamp(map[p], 0, 1) * ushort.MaxValue);
        }

        return Png.Encode(levels, width, height);
    }
}
