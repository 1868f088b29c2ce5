using System.Globalization;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>
/// Draws a map's scale as a picture to set beside it: the ramp, its values with the chance of a defect, and what contour and hatching mean.
/// </summary>
/// <remarks>Pure functions, thread-safe.</remarks>
public static class LegendRenderer
{
    /// <summary>Smallest height of a legend, and that of one drawn without enlargement, in pixels.</summary>
    public const int LeastHeight = 112;

    private const int Columns = 116;
    private const int BarLeft = 6;
    private const int BarWidth = 14;
    private const int BarTop = 18;
    private const int TextLeft = BarLeft + BarWidth + 8;

    // Below the bar: the entries of contour and hatching.
    private const int Footer = 36;

    private static readonly (byte R, byte G, byte B) Paper = (255, 255, 255);
    private static readonly (byte R, byte G, byte B) Ink = (40, 40, 40);

    /// <summary>The legend, black on white.</summary>
    /// <param name="scale">What to explain.</param>
    /// <param name="height">Of the picture, usually that of the picture beside it; at least 112.
    /// Taller legends have larger letters.</param>
    /// <exception cref="ArgumentOutOfRangeException">The height is too small.</exception>
    public static PixelBuffer Draw(MapScale scale, int height)
    {
        ArgumentNullException.ThrowIfNull(scale);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, LeastHeight);
        var zoom = Math.Max(1, height / (2 * LeastHeight));
        var rows = height / zoom;
        var (small, texts) = (new byte[Columns * rows * 3], Texts(scale, rows).ToArray());
        for (var y = 0; y < rows; y++)
        {
            for (var x = 0; x < Columns; x++)
            {
                var isLetter = texts.Any(text => BitmapFont.IsSet(text.Text, x - TextLeft, y - text.Top));
                var (color, p) = (isLetter ? Ink : Pixel(scale, rows, x, y), 3 * ((y * Columns) + x));
                (small[p], small[p + 1], small[p + 2]) = color;
            }
        }

        return Enlarge(small, rows, zoom, height);
    }

    private static (byte R, byte G, byte B) Pixel(MapScale scale, int rows, int x, int y)
    {
        var bottom = rows - Footer - 1;
        if (x is < BarLeft or >= BarLeft + BarWidth)
        {
            var isTick = x < BarLeft + BarWidth + 4 && x >= BarLeft
                && (y == BarTop || y == bottom || y == RowOf(scale.Threshold, scale, rows));
            return isTick ? Ink : Paper;
        }

        if (y >= BarTop && y <= bottom)
        {
            var threshold = RowOf(scale.Threshold, scale, rows);
            return y == threshold ? MapLayer.ContourColor
                : y == threshold + 1 || y == threshold - 1 ? MapLayer.CasingColor
                : ColorRamp.Color((bottom - y) / (float)(bottom - BarTop));
        }

        var (contour, hatch) = (rows - Footer + 8, rows - Footer + 22);
        return y == contour + 3 ? MapLayer.ContourColor : y >= contour && y < contour + BitmapFont.Height ? MapLayer.DarkStripe
            : y >= hatch - 2 && y < hatch + BitmapFont.Height + 2 ? (x + y) / 4 % 2 == 0 ? MapLayer.DarkStripe : MapLayer.LightStripe
            : Paper;
    }

    private static IEnumerable<(string Text, int Top)> Texts(MapScale scale, int rows)
    {
        yield return ("value", 4);
        if (!float.IsNaN(scale.Chance(scale.High)))
        {
            yield return ("       chance", 4);
        }

        yield return (Label(scale, scale.High), BarTop - 2);
        yield return (Label(scale, scale.Low), rows - Footer - 5);
        if (RowOf(scale.Threshold, scale, rows) is >= 0 and var row)
        {
            yield return (Label(scale, scale.Threshold), row - 3);
        }

        yield return ("threshold", rows - Footer + 8);
        yield return ("not inspected", rows - Footer + 22);
    }

    private static string Label(MapScale scale, float value)
    {
        var number = value.ToString("0.000", CultureInfo.InvariantCulture).PadRight(7);
        var chance = scale.Chance(value);
        return float.IsNaN(chance) ? number : number + string.Create(CultureInfo.InvariantCulture, $"{100 * chance,3:0}%");
    }

    /// <summary>The bar's row of a value; −1 of one that is not on it.</summary>
    private static int RowOf(float value, MapScale scale, int rows)
    {
        var bottom = rows - Footer - 1;
        return value >= scale.Low && value <= scale.High ? bottom - (int)MathF.Round(scale.Position(value) * (bottom - BarTop)) : -1;
    }

    private static PixelBuffer Enlarge(byte[] small, int rows, int zoom, int height)
    {
        var rgb = new byte[Columns * zoom * height * 3];
        for (var p = 0; p < Columns * zoom * height; p++)
        {
            var (x, y) = (p % (Columns * zoom) / zoom, Math.Min(p / (Columns * zoom) / zoom, rows - 1));
            small.AsSpan(3 * ((y * Columns) + x), 3).CopyTo(rgb.AsSpan(3 * p));
        }

        return new PixelBuffer(Columns * zoom, height, rgb);
    }
}
