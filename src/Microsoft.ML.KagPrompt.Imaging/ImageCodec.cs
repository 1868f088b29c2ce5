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
    /// Reads an image file of which no more than a few hundred pixels a side will be seen: a JPEG comes at a half, a quarter or an eighth
    /// of its size, in which it is decoded several times as fast and in as much less memory. Not bit for bit what resizing the whole gives.
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
        // Turned before the next large picture's turn: that takes a second one.
        var (picture, told) = Decoding(file, origin, maxPixels, (codec, told) => PixelDecoder.Read(codec, origin, leastSide)
            .Turned(orientation == ImageOrientation.Exif ? told.Orientation : ExifTurns.Upright));
        info = told;
        return picture;
    }

    /// <summary>
    /// Refuses what <see cref="Read(byte[], string, int, ImageOrientation)"/> would without decoding it where its end is there:
    /// a small file may promise a huge image.
    /// </summary>
    /// <returns>What the file says of itself.</returns>
    /// <inheritdoc cref="Read(byte[], string, int, ImageOrientation)"/>
    public static ImageFileInfo Check(byte[] file, string origin, int maxPixels = DefaultMaxPixels)
        => Decoding(file, origin, maxPixels,
            (codec, told) => ImageFileEnd.IsThere(file, told.Format) ? null : PixelDecoder.Read(codec, origin)).Info;

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
        byte[] file, string origin, int maxPixels, Func<SKCodec, ImageFileInfo, T> use)
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
            var told = ImageHeader.Read(file, kind, codec);
            return (PixelBudget.Spend(told.Width, told.Height, () => use(codec, told)), told);
        }
    }

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
