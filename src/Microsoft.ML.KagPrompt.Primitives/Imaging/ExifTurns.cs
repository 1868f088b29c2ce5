namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>Turns pictures the way EXIF's orientation tag says.</summary>
internal static class ExifTurns
{
    /// <summary>The tag's value for pixels that lie as they are shown.</summary>
    public const int Upright = 1;

    /// <summary>The picture as it is to be shown; the same object where nothing is to be done.</summary>
    /// <param name="image">The picture as it is stored.</param>
    /// <param name="orientation">The tag's value, 1 to 8; others mean nothing.</param>
    public static PixelBuffer Turned(this PixelBuffer image, int orientation)
    {
        if (orientation is <= Upright or > 8)
        {
            return image;
        }

        var (lastX, lastY) = (image.Width - 1, image.Height - 1);
        var (width, height) = orientation >= 5 ? (image.Height, image.Width) : (image.Width, image.Height);
        var rgb = new byte[image.Rgb.Length];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (fromX, fromY) = orientation switch
                {
                    2 => (lastX - x, y),
                    3 => (lastX - x, lastY - y),
                    4 => (x, lastY - y),
                    5 => (y, x),
                    6 => (y, lastY - x),
                    7 => (lastX - y, lastY - x),
                    _ => (lastX - y, x),
                };
                var (to, from) = (((y * width) + x) * 3, ((fromY * image.Width) + fromX) * 3);
                (rgb[to], rgb[to + 1], rgb[to + 2]) = (image.Rgb[from], image.Rgb[from + 1], image.Rgb[from + 2]);
            }
        }

        return new PixelBuffer(width, height, rgb);
    }
}
