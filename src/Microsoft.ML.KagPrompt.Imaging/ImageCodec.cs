using System.Buffers;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using SkiaSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Image files to pixels, and pixels to image files: PNG, JPEG, BMP, WebP and GIF's first picture, told by what they hold and
/// not by what they are called.
/// </summary>
/// <remarks>
/// Pure functions, thread-safe. Alpha is dropped, not blended: a colour is what it is under any transparency. Of 16 bits the high byte is
/// read. Colour profiles are not applied. A picture that is being read takes up to seven bytes a pixel (a JPEG three, a grey one four), and
/// three afterwards; of pictures above 16 megapixels one at a time is read in a process.
/// </remarks>
public static class ImageCodec
{
    /// <summary>Largest image, in pixels, that is read unless another bound is given.</summary>
    public const int DefaultMaxPixels = 70_000_000;

    /// <summary>Reads an image file. The header's size is checked before anything is decoded.</summary>
    /// <param name="path">The file; an ordinary one.</param>
    /// <param name="maxPixels">Largest width · height that is accepted.</param>
    /// <param name="orientation">Which way up.</param>
    /// <exception cref="ImageReadException">There is no such file, it is no image of a kind that is read, it ends early or is damaged,
    /// or it is too large.</exception>
    public static PixelBuffer Read(
        string path, int maxPixels = DefaultMaxPixels, ImageOrientation orientation = ImageOrientation.Exif)
        => Read(path, out _, maxPixels, orientation);

    /// <summary>The same, and what the file says of itself.</summary>
    /// <inheritdoc cref="Read(string, int, ImageOrientation)"/>
    public static PixelBuffer Read(
        string path, out ImageFileInfo info,
        int maxPixels = DefaultMaxPixels, ImageOrientation orientation = ImageOrientation.Exif)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Read(ImageFileBytes.Read(path, $"'{path}'", maxPixels), $"'{path}'", out info, maxPixels, orientation);
    }

    /// <summary>Reads the bytes of an image file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <param name="maxPixels">Largest width · height that is accepted.</param>
    /// <param name="orientation">Which way up.</param>
    /// <exception cref="ImageReadException">It is no image of a kind that is read, it ends early or is damaged,
    /// or it is too large.</exception>
    public static PixelBuffer Read(
        byte[] file, string origin, int maxPixels = DefaultMaxPixels, ImageOrientation orientation = ImageOrientation.Exif)
        => Read(file, origin, out _, maxPixels, orientation);

    /// <summary>The same, and what the file says of itself.</summary>
    /// <inheritdoc cref="Read(byte[], string, int, ImageOrientation)"/>
    public static PixelBuffer Read(
        byte[] file, string origin, out ImageFileInfo info,
        int maxPixels = DefaultMaxPixels, ImageOrientation orientation = ImageOrientation.Exif)
        => ReadReduced(file, origin, int.MaxValue, out info, maxPixels, orientation);

    /// <summary>
    /// Reads an image file of which no more than a few hundred pixels a side will be seen: a JPEG comes at a half, a quarter or an eighth of
    /// its size, in which it is decoded several times as fast and in as much less memory. Not bit for bit what resizing the whole gives.
    /// </summary>
    /// <param name="path">The file; an ordinary one.</param>
    /// <param name="leastSide">Pixels that the shorter side keeps at least; four times what will be seen leave little of a difference.
    /// Above half of the shorter side: the whole picture.</param>
    /// <param name="info">What the file says of itself: the whole picture's size (<see cref="SizeOf"/>).</param>
    /// <param name="maxPixels">Largest width · height of the whole picture that is accepted.</param>
    /// <param name="orientation">Which way up.</param>
    /// <exception cref="ArgumentOutOfRangeException">The least side is not positive.</exception>
    /// <inheritdoc cref="Read(string, int, ImageOrientation)"/>
    public static PixelBuffer ReadReduced(
        string path, int leastSide, out ImageFileInfo info,
        int maxPixels, ImageOrientation orientation)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ReadReduced(ImageFileBytes.Read(path, $"'{path}'", maxPixels), $"'{path}'", leastSide, out info, maxPixels, orientation);
    }

    /// <summary>The same of a file in memory.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <param name="leastSide">Pixels that the shorter side keeps at least.</param>
    /// <param name="info">What the file says of itself: the whole picture's size (<see cref="SizeOf"/>).</param>
    /// <param name="maxPixels">Largest width · height of the whole picture that is accepted.</param>
    /// <param name="orientation">Which way up.</param>
    /// <exception cref="ArgumentOutOfRangeException">The least side is not positive.</exception>
    /// <inheritdoc cref="Read(byte[], string, int, ImageOrientation)"/>
    public static PixelBuffer ReadReduced(
        byte[] file, string origin, int leastSide, out ImageFileInfo info,
        int maxPixels, ImageOrientation orientation)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(leastSide);
        var (stored, told) = Decoding(file, origin, maxPixels, (codec, _) => Decode(codec, origin, Reduced(codec, leastSide)));
        info = told;
        return orientation == ImageOrientation.Exif ? stored.Turned(told.Orientation) : stored;
    }

    /// <summary>
    /// Refuses what <see cref="Read(byte[], string, int, ImageOrientation)"/> would without decoding it where its end is there:
    /// a small file may promise a huge image.
    /// </summary>
    /// <returns>What the file says of itself.</returns>
    /// <inheritdoc cref="Read(byte[], string, int, ImageOrientation)"/>
    public static ImageFileInfo Check(byte[] file, string origin, int maxPixels = DefaultMaxPixels)
        => Decoding(file, origin, maxPixels, (codec, kind) => ImageFileEnd.IsThere(file, kind) ? null : Decode(codec, origin, Whole(codec))).Info;

    /// <summary>The same of a file on disk.</summary>
    /// <inheritdoc cref="Read(string, int, ImageOrientation)"/>
    public static ImageFileInfo Check(string path, int maxPixels = DefaultMaxPixels)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Check(ImageFileBytes.Read(path, $"'{path}'", maxPixels), $"'{path}'", maxPixels);
    }

    /// <summary>Columns and rows of the picture that <see cref="Read(string, int, ImageOrientation)"/> gives.</summary>
    public static (int Width, int Height) SizeOf(ImageFileInfo info, ImageOrientation orientation)
    {
        ArgumentNullException.ThrowIfNull(info);
        return orientation == ImageOrientation.Exif && info.Orientation >= 5 ? (info.Height, info.Width) : (info.Width, info.Height);
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

    /// <summary>Opens a decoder on bytes that stay where they are, after everything that can be refused without one.</summary>
    private static unsafe (T Result, ImageFileInfo Info) Decoding<T>(
        byte[] file, string origin, int maxPixels, Func<SKCodec, string, T> use)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentException.ThrowIfNullOrEmpty(origin);
        var kind = ImageFileBytes.RequireKind(file, origin);
        fixed (byte* bytes = kind == "GIF" ? ImageHeader.WithoutGifTransparency(file) : file)
        {
            using var data = SKData.Create((IntPtr)bytes, file.Length);
            using var codec = SKCodec.Create(data);
            if (codec is null || codec.Info.Width < 1 || codec.Info.Height < 1)
            {
                throw new ImageReadException($"{origin}: the {kind} header is damaged, or the file ends early. "
                    + $"Expected {ImageFormats.Expected}, whole. Check that it was written to its end.");
            }

            if ((long)codec.Info.Width * codec.Info.Height > maxPixels)
            {
                throw new ImageReadException($"{origin}: expected an image of at most {maxPixels} pixels, "
                    + $"got {codec.Info.Width} x {codec.Info.Height}. Resize it, or raise the bound.");
            }

            PixelBudget.RequireSubstance(codec.Info.Width, codec.Info.Height, file.Length, origin);
            return (PixelBudget.Spend(codec.Info.Width, codec.Info.Height, () => use(codec, kind)), ImageHeader.Read(file, kind, codec));
        }
    }

    private static (int Width, int Height) Whole(SKCodec codec) => (codec.Info.Width, codec.Info.Height);

    /// <summary>The smallest size that the decoder itself gives and that is not too small.</summary>
    private static (int Width, int Height) Reduced(SKCodec codec, int leastSide)
    {
        foreach (var part in codec.EncodedFormat == SKEncodedImageFormat.Jpeg ? (int[])[8, 4, 2] : [])
        {
            var size = codec.GetScaledDimensions(1f / part);
            if (Math.Min(size.Width, size.Height) >= leastSide)
            {
                return (size.Width, size.Height);
            }
        }

        return Whole(codec);
    }

    /// <summary>
    /// The colours as they are stored, whole or not at all: decoders fill what is missing with grey,
    /// and it would be scored as if it were the part.
    /// </summary>
    private static PixelBuffer Decode(SKCodec codec, string origin, (int Width, int Height) size)
    {
        var (width, height) = size;
        if (3L * width * height > Array.MaxLength)
        {
            throw TooLarge(width, height, origin);
        }

        try
        {
            var rgb = new byte[3 * width * height];
            if (!RowsOf(codec, rgb, size, origin))
            {
                if (size != Whole(codec))
                {
                    return Decode(codec, origin, Whole(codec));
                }

                AtOnce(codec, rgb, origin);
            }

            return new PixelBuffer(width, height, rgb);
        }
        catch (OutOfMemoryException)
        {
            throw TooLarge(width, height, origin);
        }
    }

    /// <summary>Row after row, which needs no second picture; false: this kind has no such way.</summary>
    private static unsafe bool RowsOf(SKCodec codec, byte[] rgb, (int Width, int Height) size, string origin)
    {
        var (width, height) = size;
        var layout = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        if (codec.EncodedFormat != SKEncodedImageFormat.Jpeg || codec.StartScanlineDecode(layout) != SKCodecResult.Success
            || codec.ScanlineOrder != SKCodecScanlineOrder.TopDown)
        {
            return false;
        }

        var row = new byte[4 * width];
        fixed (byte* pixels = row)
        {
            for (var y = 0; y < height; y++)
            {
                if (codec.GetScanlines((IntPtr)pixels, 1, row.Length) != 1)
                {
                    throw Incomplete(origin);
                }

                WithoutAlpha(row, rgb.AsSpan(3 * width * y, 3 * width));
            }
        }

        return true;
    }

    private static unsafe void AtOnce(SKCodec codec, byte[] rgb, string origin)
    {
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        var (opaque, grey) = (codec.Info.AlphaType == SKAlphaType.Opaque, codec.Info.ColorType == SKColorType.Gray8);
        var layout = new SKImageInfo(width, height, opaque && grey ? SKColorType.Gray8 : SKColorType.Rgba8888,
            opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        if (layout.BytesSize64 > Array.MaxLength)
        {
            throw TooLarge(width, height, origin);
        }

        // Not of the C library's heap, which may keep what was freed.
        var rented = ArrayPool<byte>.Shared.Rent(layout.BytesSize);
        try
        {
            SKCodecResult result;
            fixed (byte* pixels = rented)
            {
                result = codec.GetPixels(layout, (IntPtr)pixels);
            }

            if (result != SKCodecResult.Success)
            {
                throw result == SKCodecResult.IncompleteInput ? Incomplete(origin)
                    : new ImageReadException($"{origin}: the image is damaged, or ends early ({result}). Expected a whole file. "
                        + "Copy it again, after it was written to its end.");
            }

            var decoded = rented.AsSpan(0, layout.BytesSize);
            if (layout.ColorType == SKColorType.Rgba8888)
            {
                WithoutAlpha(decoded, rgb);
                return;
            }

            for (var p = 0; p < decoded.Length; p++)
            {
                rgb.AsSpan(3 * p, 3).Fill(decoded[p]);
            }
        }
        finally
        {
            // What is not returned goes with the next collection, and does not lie in the pool.
            if (!PixelBudget.IsLarge(width, height))
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private static void WithoutAlpha(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            (rgb[to], rgb[to + 1], rgb[to + 2]) = (rgba[from], rgba[from + 1], rgba[from + 2]);
        }
    }

    private static ImageReadException Incomplete(string origin)
        => new($"{origin}: the image ends early. Expected a whole file, got the first part of one. "
            + "Copy it again, after it was written to its end.");

    private static ImageReadException TooLarge(int width, int height, string origin)
        => new($"{origin}: there is no memory for an image of {width} x {height} pixels. Resize it.");

    private static byte[] Encode(PixelBuffer picture, SKEncodedImageFormat format, int quality)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var pixels = new byte[picture.Width * picture.Height * 4];
        for (var p = 0; p < picture.Width * picture.Height; p++)
        {
            picture.Rgb.AsSpan(3 * p, 3).CopyTo(pixels.AsSpan(4 * p));
            pixels[(4 * p) + 3] = 255;
        }

        var layout = new SKImageInfo(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var image = SKImage.FromPixelCopy(layout, pixels);
        using var encoded = image.Encode(format, quality);
        return encoded.ToArray();
    }
}
