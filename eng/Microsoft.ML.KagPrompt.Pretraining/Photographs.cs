using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>Image files for measuring; never for training.</summary>
internal static class Photographs
{
    public static PixelBuffer Read(string path)
    {
        using var image = MLImage.CreateFromFile(path);
        var pixels = image.Pixels;
        var bgr = image.PixelFormat == MLPixelFormat.Bgra32;
        var rgb = new byte[image.Width * image.Height * 3];
        for (var p = 0; p < image.Width * image.Height; p++)
        {
            (rgb[3 * p], rgb[(3 * p) + 1], rgb[(3 * p) + 2]) = bgr
                ? (pixels[(4 * p) + 2], pixels[(4 * p) + 1], pixels[4 * p])
                : (pixels[4 * p], pixels[(4 * p) + 1], pixels[(4 * p) + 2]);
        }

        return new PixelBuffer(image.Width, image.Height, rgb);
    }

    public static void Write(PixelBuffer image, string path)
    {
        var pixels = new byte[image.Width * image.Height * 4];
        for (var p = 0; p < image.Width * image.Height; p++)
        {
            (pixels[4 * p], pixels[(4 * p) + 1], pixels[(4 * p) + 2], pixels[(4 * p) + 3]) = (image.Rgb[3 * p], image.Rgb[(3 * p) + 1], image.Rgb[(3 * p) + 2], 255);
        }

        using var picture = MLImage.CreateFromPixels(image.Width, image.Height, MLPixelFormat.Rgba32, pixels);
        picture.Save(path);
    }
}
