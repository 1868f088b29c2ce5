using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Imaging;

namespace QuickStart;

/// <summary>Picture files through ML.NET's codecs.</summary>
internal static class Pictures
{
    public static PixelBuffer Read(string path)
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

    public static void Write(PixelBuffer picture, string path)
    {
        using var image = ToImage(picture);
        image.Save(path);
    }

    public static byte[] Png(PixelBuffer picture)
    {
        var scratch = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.png");
        try
        {
            Write(picture, scratch);
            return File.ReadAllBytes(scratch);
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    /// <summary>Pictures of one size side by side.</summary>
    public static void WriteStrip(IReadOnlyList<PixelBuffer> pictures, string path)
    {
        var (width, height) = (pictures[0].Width, pictures[0].Height);
        var rgb = new byte[pictures.Count * width * height * 3];
        for (var i = 0; i < pictures.Count; i++)
        {
            for (var y = 0; y < height; y++)
            {
                pictures[i].Rgb.AsSpan(y * width * 3, width * 3).CopyTo(rgb.AsSpan(((y * pictures.Count) + i) * width * 3));
            }
        }

        Write(new PixelBuffer(pictures.Count * width, height, rgb), path);
    }

    private static MLImage ToImage(PixelBuffer picture)
    {
        var pixels = new byte[picture.Width * picture.Height * 4];
        for (var p = 0; p < picture.Width * picture.Height; p++)
        {
            picture.Rgb.AsSpan(3 * p, 3).CopyTo(pixels.AsSpan(4 * p));
            pixels[(4 * p) + 3] = 255;
        }

        return MLImage.CreateFromPixels(picture.Width, picture.Height, MLPixelFormat.Rgba32, pixels);
    }
}
