using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Image files as pixels, decoded as ML.NET's LoadImages does.</summary>
internal static class Photograph
{
    /// <exception cref="ImageReadException">It cannot be read.</exception>
    public static PixelBuffer Read(string path)
    {
        try
        {
            using var image = MLImage.CreateFromFile(path);
            var bgr = image.GetBGRPixels;
            var rgb = new byte[bgr.Length];
            for (var p = 0; p < bgr.Length; p += 3)
            {
                (rgb[p], rgb[p + 1], rgb[p + 2]) = (bgr[p + 2], bgr[p + 1], bgr[p]);
            }

            return new PixelBuffer(image.Width, image.Height, rgb);
        }
        catch (Exception fault) when (fault is ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new ImageReadException($"'{path}' cannot be read. {fault.Message} Expected a PNG, JPEG or BMP file. Check that it exists and is whole.", fault);
        }
    }
}
