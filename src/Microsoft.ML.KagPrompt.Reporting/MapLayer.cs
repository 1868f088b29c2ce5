using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>Draws a map into palette entries: levels of its values, hatching where it was not inspected, outlines.</summary>
internal static class MapLayer
{
    /// <summary>Entries of values; those after them are lines and hatching.</summary>
    private const int Levels = 250;

    private const byte Contour = 250;
    private const byte ContourCasing = 251;
    private const byte Truth = 252;
    private const byte TruthCasing = 253;
    private const byte HatchDark = 254;
    private const byte HatchLight = 255;

    private const int StripeWidth = 4;

    /// <summary>Pixels of picture to one of line: a line must be seen when a large picture is shown small.</summary>
    private const int PixelsPerLine = 900;

    public static readonly (byte R, byte G, byte B) ContourColor = (255, 255, 255);
    public static readonly (byte R, byte G, byte B) TruthColor = (0, 220, 255);
    public static readonly (byte R, byte G, byte B) CasingColor = (0, 0, 0);
    public static readonly (byte R, byte G, byte B) DarkStripe = (96, 96, 96);
    public static readonly (byte R, byte G, byte B) LightStripe = (160, 160, 160);

    /// <param name="map">width · height values.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="scale">Colours, opacity, and the threshold of the contour.</param>
    /// <param name="isOpaque">Whether values are drawn solid, or as opaque as the scale says.</param>
    /// <param name="truth">Where a defect truly is; empty: not known.</param>
    public static PaletteImage Draw(ReadOnlySpan<float> map, int width, int height, MapScale scale, bool isOpaque, ReadOnlySpan<bool> truth)
    {
        MapSize.Require(map, width, height);
        if (truth.Length != 0 && truth.Length != map.Length)
        {
            throw new ArgumentException($"truth: expected {width} x {height} values or none, got {truth.Length}.", nameof(truth));
        }

        var palette = Palette(scale, isOpaque);
        var (indices, above) = (new byte[map.Length], new bool[map.Length]);
        for (var p = 0; p < map.Length; p++)
        {
            var level = float.IsNaN(map[p]) ? ((p % width) + (p / width)) / StripeWidth % 2 == 0 ? HatchDark : HatchLight
                : (byte)MathF.Round(scale.Position(map[p]) * (Levels - 1));
            // One entry for all that is not seen compresses better.
            indices[p] = palette[level].A == 0 ? (byte)0 : level;
            above[p] = map[p] > scale.Threshold;
        }

        var thickness = 1 + (Math.Max(width, height) / PixelsPerLine);
        Trace(indices, Outline.Trace(truth, width, height, thickness), Truth, TruthCasing);
        Trace(indices, Outline.Trace(above, width, height, thickness), Contour, ContourCasing);
        return new PaletteImage(width, height, indices, palette);
    }

    /// <summary>The image with such a layer over it.</summary>
    public static PixelBuffer Over(PixelBuffer image, ReadOnlySpan<float> map, MapScale scale, ReadOnlySpan<bool> truth)
        => Draw(map, image.Width, image.Height, scale, isOpaque: false, truth).Over(image);

    private static void Trace(byte[] indices, byte[] marks, byte line, byte casing)
    {
        for (var p = 0; p < marks.Length; p++)
        {
            indices[p] = marks[p] switch { Outline.Line => line, Outline.Casing => casing, _ => indices[p] };
        }
    }

    private static (byte R, byte G, byte B, byte A)[] Palette(MapScale scale, bool isOpaque)
    {
        var palette = new (byte R, byte G, byte B, byte A)[256];
        for (var level = 0; level < Levels; level++)
        {
            var position = level / (Levels - 1f);
            var (r, g, b) = ColorRamp.Color(position);
            var opacity = isOpaque ? 1 : scale.Opacity(scale.Low + (position * (scale.High - scale.Low)));
            palette[level] = (r, g, b, (byte)MathF.Round(255 * opacity));
        }

        foreach (var (entry, color, alpha) in new[]
        {
            (Contour, ContourColor, 255), (ContourCasing, CasingColor, 190), (Truth, TruthColor, 255), (TruthCasing, CasingColor, 190),
            (HatchDark, DarkStripe, isOpaque ? 255 : 150), (HatchLight, LightStripe, isOpaque ? 255 : 150),
        })
        {
            palette[entry] = (color.Item1, color.Item2, color.Item3, (byte)alpha);
        }

        return palette;
    }
}
