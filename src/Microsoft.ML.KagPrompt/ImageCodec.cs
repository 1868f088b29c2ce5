using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Reporting;
using SkiaSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>Image files to pixels, as <c>LoadImages</c> reads them, and pixels to image files.</summary>
/// <remarks>Pure functions, thread-safe.</remarks>
public static class ImageCodec
{
    /// <summary>Largest image, in pixels, that is read unless another bound is given.</summary>
    public const int DefaultMaxPixels = 100_000_000;

    /// <summary>Reads a PNG, JPEG or BMP file. The header's size is checked before anything is decoded.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxPixels">Largest width · height that is accepted.</param>
    /// <exception cref="ImageReadException">There is no such file, it is no image, it ends early, or it is too large.</exception>
    public static PixelBuffer Read(string path, int maxPixels = DefaultMaxPixels)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return Read(File.ReadAllBytes(path), $"'{path}'", maxPixels);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ImageReadException($"'{path}' cannot be read. {fault.Message} Expected a PNG, JPEG or BMP file.", fault);
        }
    }

    /// <summary>Reads the bytes of a PNG, JPEG or BMP file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <param name="maxPixels">Largest width · height that is accepted.</param>
    /// <exception cref="ImageReadException">It is no image, it ends early, or it is too large.</exception>
    public static PixelBuffer Read(byte[] file, string origin, int maxPixels = DefaultMaxPixels)
    {
        Check(file, origin, maxPixels);
        MLImage image;
        try
        {
            image = MLImage.CreateFromStream(new MemoryStream(file));
        }
        catch (ArgumentException fault)
        {
            throw new ImageReadException(NoImage(origin), fault);
        }

        using (image)
        {
            return ImageAdapter.ToPixels(image, maxPixels, origin);
        }
    }

    /// <summary>Refuses what <see cref="Read(byte[], string, int)"/> would, without decoding it: a small file may promise a huge image.</summary>
    /// <inheritdoc cref="Read(byte[], string, int)"/>
    public static void Check(byte[] file, string origin, int maxPixels = DefaultMaxPixels)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentException.ThrowIfNullOrEmpty(origin);
        using (var codec = Open(file, origin))
        {
            if ((long)codec.Info.Width * codec.Info.Height > maxPixels)
            {
                throw new ImageReadException($"{origin}: expected an image of at most {maxPixels} pixels, got {codec.Info.Width} x {codec.Info.Height}. Resize it, or raise the bound.");
            }
        }

        ImageFileEnd.Require(file, origin);
    }

    /// <summary>A picture as a PNG file's bytes.</summary>
    public static byte[] EncodePng(PixelBuffer picture) => Encode(picture, SKEncodedImageFormat.Png, 100);

    /// <summary>A picture as a JPEG file's bytes.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="quality">1 to 100.</param>
    /// <exception cref="ArgumentOutOfRangeException">The quality is out of range.</exception>
    public static byte[] EncodeJpeg(PixelBuffer picture, int quality = 85)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        return Encode(picture, SKEncodedImageFormat.Jpeg, quality);
    }

    /// <summary>The decoder of a file's bytes, which reads them in place.</summary>
    internal static SKCodec Open(byte[] file, string origin)
        => SKCodec.Create(new MemoryStream(file)) ?? throw new ImageReadException(NoImage(origin));

    private static string NoImage(string origin) => $"{origin} is not an image. Expected a whole PNG, JPEG or BMP file. Check that it was written to its end.";

    private static byte[] Encode(PixelBuffer picture, SKEncodedImageFormat format, int quality)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var pixels = new byte[picture.Width * picture.Height * 4];
        for (var p = 0; p < picture.Width * picture.Height; p++)
        {
            picture.Rgb.AsSpan(3 * p, 3).CopyTo(pixels.AsSpan(4 * p));
            pixels[(4 * p) + 3] = 255;
        }

        using var image = SKImage.FromPixelCopy(new SKImageInfo(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque), pixels);
        using var encoded = image.Encode(format, quality);
        return encoded.ToArray();
    }
}
