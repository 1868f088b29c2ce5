namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>Quarter turns.</summary>
internal static class PixelBufferTurns
{
    /// <summary>The picture turned clockwise by 90° as often as asked.</summary>
    public static PixelBuffer Rotate90(this PixelBuffer image, int turns)
    {
        for (turns = ((turns % 4) + 4) % 4; turns > 0; turns--)
        {
            var (width, height) = (image.Height, image.Width);
            var rgb = new byte[image.Rgb.Length];
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    image.Rgb.AsSpan((((image.Height - 1 - x) * image.Width) + y) * 3, 3).CopyTo(rgb.AsSpan(((y * width) + x) * 3));
                }
            }

            image = new PixelBuffer(width, height, rgb);
        }

        return image;
    }

    /// <summary>A copy whose columns run the other way.</summary>
    public static PixelBuffer Mirrored(this PixelBuffer image)
    {
        var rgb = new byte[image.Rgb.Length];
        for (var p = 0; p < image.Width * image.Height; p++)
        {
            var other = (p / image.Width * image.Width) + image.Width - 1 - (p % image.Width);
            image.Rgb.AsSpan(3 * other, 3).CopyTo(rgb.AsSpan(3 * p));
        }

        return new PixelBuffer(image.Width, image.Height, rgb);
    }
}
