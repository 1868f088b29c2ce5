using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Pictures for tests.</summary>
internal static class TestImages
{
    /// <summary>Reads an opaque image file.</summary>
    public static PixelBuffer Read(string path)
    {
        using var image = MLImage.CreateFromFile(path);
        var (pixels, red, blue) = (image.Pixels.ToArray(), image.PixelFormat == MLPixelFormat.Bgra32 ? 2 : 0, image.PixelFormat == MLPixelFormat.Bgra32 ? 0 : 2);
        var rgb = new byte[image.Width * image.Height * 3];
        for (var p = 0; p < image.Width * image.Height; p++)
        {
            (rgb[3 * p], rgb[(3 * p) + 1], rgb[(3 * p) + 2]) = (pixels[(4 * p) + red], pixels[(4 * p) + 1], pixels[(4 * p) + blue]);
        }

        return new PixelBuffer(image.Width, image.Height, rgb);
    }

    /// <summary>Random bytes.</summary>
    public static PixelBuffer Noise(int width, int height, int seed)
    {
        var rgb = new byte[width * height * 3];
        new Random(seed).NextBytes(rgb);
        return new PixelBuffer(width, height, rgb);
    }

    /// <summary>A smooth pattern of a part, moved and lit a little differently by each seed; with a dark bar where asked.</summary>
    public static PixelBuffer Part(int width, int height, int seed, bool defective = false)
    {
        var random = new Random(seed);
        var (dx, dy, gain) = (random.NextDouble() * 4, random.NextDouble() * 4, 0.95 + (0.1 * random.NextDouble()));
        var rgb = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (u, v) = (((x + dx) / width) - 0.5, ((y + dy) / height) - 0.5);
                var ring = Math.Abs(Math.Sqrt((u * u) + (v * v)) - 0.3) < 0.1;
                var value = ((ring ? 180 : 60) + (20 * Math.Sin(u * 25))) * gain;
                if (defective && Math.Abs(v + 0.3) < 0.06 && Math.Abs(u) < 0.2)
                {
                    value = 5;
                }

                for (var c = 0; c < 3; c++)
                {
                    rgb[(((y * width) + x) * 3) + c] = (byte)Math.Clamp(value + (c * 10) + random.Next(6), 0, 255);
                }
            }
        }

        return new PixelBuffer(width, height, rgb);
    }

    /// <summary>Writes a PNG.</summary>
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
