namespace Microsoft.ML.KagPrompt.Station.Pictures;

/// <summary>Pictures for pages and figures: reduced by averaging, never enlarged.</summary>
internal static class SmallPicture
{
    /// <summary>At most so many pixels a side; the picture itself where it is no larger.</summary>
    public static PixelBuffer Scale(PixelBuffer picture, int longestSide)
    {
        var shrink = (double)longestSide / Math.Max(picture.Width, picture.Height);
        if (shrink >= 1)
        {
            return picture;
        }

        var (width, height) = (Math.Max(1, (int)Math.Round(picture.Width * shrink)), Math.Max(1, (int)Math.Round(picture.Height * shrink)));
        var (from, to) = (picture.Rgb, new byte[width * height * 3]);
        for (var y = 0; y < height; y++)
        {
            var (top, bottom) = Span(y, height, picture.Height);
            for (var x = 0; x < width; x++)
            {
                var (left, right) = Span(x, width, picture.Width);
                var (r, g, b) = (0L, 0L, 0L);
                for (var v = top; v < bottom; v++)
                {
                    for (var u = left; u < right; u++)
                    {
                        var at = ((v * picture.Width) + u) * 3;
                        (r, g, b) = (r + from[at], g + from[at + 1], b + from[at + 2]);
                    }
                }

                var (count, target) = ((bottom - top) * (right - left), ((y * width) + x) * 3);
                (to[target], to[target + 1], to[target + 2]) = ((byte)(r / count), (byte)(g / count), (byte)(b / count));
            }
        }

        return new PixelBuffer(width, height, to);
    }

    private static (int First, int End) Span(int place, int places, int pixels)
    {
        var first = (int)((long)place * pixels / places);
        return (first, Math.Max(first + 1, (int)((long)(place + 1) * pixels / places)));
    }
}
