using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>Between ML.NET's images and pixel buffers.</summary>
internal static class ImageAdapter
{
    /// <summary>How far a premultiplied colour may be from its exact value.</summary>
    private const int Rounding = 1;

    /// <summary>RGB of an image; alpha is dropped, not blended, as is usual in vision.</summary>
    /// <remarks>
    /// An image that <c>LoadImages</c> read carries its file's path as its tag. What ML.NET does not keep is taken from there: how EXIF
    /// says to turn it, colours beneath alpha, and whether the file was whole.
    /// </remarks>
    /// <exception cref="ImageReadException">There is no image, it is too large, or the file it came from is no whole image of a kind that
    /// is read.</exception>
    public static PixelBuffer ToPixels(MLImage? image, int maxPixels, string origin, ImageOrientation orientation)
    {
        if (image is null)
        {
            throw new ImageReadException($"{origin}: expected an image, got none. Check the file, or filter such rows out.");
        }

        var (width, height) = (image.Width, image.Height);
        if ((long)width * height > maxPixels)
        {
            throw new ImageReadException($"{origin}: expected an image of at most {maxPixels} pixels, got {width} x {height}. Resize it, "
                + "or raise Images.MaxPixels.");
        }

        if (image.Tag is not { Length: > 0 } path || !File.Exists(path))
        {
            return Colours(image, width, height);
        }

        // The image may have been resized since: its file may be larger than the bound.
        var file = ImageFileBytes.Read(path, origin, int.MaxValue);
        var info = ImageCodec.Check(file, origin, int.MaxValue);
        var pixels = info.HasAlpha && (info.Width, info.Height) == (width, height)
            ? Beneath(image, ImageCodec.Read(file, origin, int.MaxValue, ImageOrientation.AsStored))
            : Colours(image, width, height);
        return orientation == ImageOrientation.Exif ? pixels.Turned(info.Orientation) : pixels;
    }

    /// <summary>The file's own colours, unless the pipeline has changed the image since it was read.</summary>
    private static PixelBuffer Beneath(MLImage image, PixelBuffer stored)
    {
        var pixels = image.Pixels;
        var (red, blue) = image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);
        for (int from = 0, at = 0; from < pixels.Length; from += 4, at += 3)
        {
            var alpha = pixels[from + 3];
            if (Differs(pixels[from + red], stored.Rgb[at])
                || Differs(pixels[from + 1], stored.Rgb[at + 1])
                || Differs(pixels[from + blue], stored.Rgb[at + 2]))
            {
                return Colours(image, image.Width, image.Height);
            }

            bool Differs(byte premultiplied, byte straight) => Math.Abs(premultiplied - (straight * alpha / 255)) > Rounding;
        }

        return stored;
    }

    private static PixelBuffer Colours(MLImage image, int width, int height)
    {
        var pixels = image.Pixels;
        if (IsPremultiplied(pixels))
        {
            return FromTranslucent(image, width, height);
        }

        var rgb = new byte[checked(width * height * 3)];
        var (red, blue) = image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);
        for (var p = 0; p < width * height; p++)
        {
            rgb[3 * p] = pixels[(4 * p) + red];
            rgb[(3 * p) + 1] = pixels[(4 * p) + 1];
            rgb[(3 * p) + 2] = pixels[(4 * p) + blue];
        }

        return new PixelBuffer(width, height, rgb);
    }

    /// <summary>Whether colours were multiplied by an alpha below 255, as ML.NET's decoders do.</summary>
    /// <remarks>
    /// Such a colour is never above its alpha. Where one is, the bytes are the colours as they are: a camera's buffer whose fourth byte is
    /// unused, often 0, which would be black if it were taken for alpha.
    /// </remarks>
    private static bool IsPremultiplied(ReadOnlySpan<byte> pixels)
    {
        var isTranslucent = false;
        for (var at = 0; at < pixels.Length; at += 4)
        {
            var alpha = pixels[at + 3];
            if (Math.Max(Math.Max(pixels[at], pixels[at + 1]), pixels[at + 2]) > alpha + Rounding)
            {
                return false;
            }

            isTranslucent |= alpha != 255;
        }

        return isTranslucent;
    }

    /// <summary>A picture for an output column. The caller owns it.</summary>
    public static MLImage ToImage(PixelBuffer picture)
    {
        var pixels = new byte[picture.Width * picture.Height * 4];
        for (var p = 0; p < picture.Width * picture.Height; p++)
        {
            picture.Rgb.AsSpan(3 * p, 3).CopyTo(pixels.AsSpan(4 * p));
            pixels[(4 * p) + 3] = 255;
        }

        return MLImage.CreateFromPixels(picture.Width, picture.Height, MLPixelFormat.Rgba32, pixels);
    }

    /// <summary>With alpha the raw pixels are premultiplied; this slower way gives the colours themselves.</summary>
    private static PixelBuffer FromTranslucent(MLImage image, int width, int height)
    {
        var bgr = image.GetBGRPixels;
        var rgb = new byte[width * height * 3];
        for (var p = 0; p < width * height; p++)
        {
            (rgb[3 * p], rgb[(3 * p) + 1], rgb[(3 * p) + 2]) = (bgr[(3 * p) + 2], bgr[(3 * p) + 1], bgr[3 * p]);
        }

        return new PixelBuffer(width, height, rgb);
    }
}
