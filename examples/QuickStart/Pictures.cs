using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Imaging;

namespace QuickStart;

/// <summary>Picture files.</summary>
internal static class Pictures
{
    public static void Write(PixelBuffer picture, string path) => File.WriteAllBytes(path, ImageCodec.EncodePng(picture));

    /// <summary>Pictures of one height side by side.</summary>
    public static void WriteStrip(IReadOnlyList<PixelBuffer> pictures, string path)
    {
        var (width, height) = (pictures.Sum(picture => picture.Width), pictures[0].Height);
        var rgb = new byte[width * height * 3];
        var left = 0;
        foreach (var picture in pictures)
        {
            for (var y = 0; y < height; y++)
            {
                picture.Rgb.AsSpan(y * picture.Width * 3, picture.Width * 3).CopyTo(rgb.AsSpan(((y * width) + left) * 3));
            }

            left += picture.Width;
        }

        Write(new PixelBuffer(width, height, rgb), path);
    }
}
