using System.Buffers;
using Microsoft.ML.KagPrompt.Diagnostics;
using SkiaSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// From an opened decoder to the colours as they are stored, whole or not at all: decoders fill what is missing with grey, and it would be
/// scored as if it were the part.
/// </summary>
internal static class PixelDecoder
{
    /// <summary>The picture; a JPEG at a part of its size where that keeps enough.</summary>
    /// <param name="codec">Opened on the file.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <param name="leastSide">Pixels that the shorter side keeps at least.</param>
    /// <exception cref="ImageReadException">The file is damaged or ends early, or there is no memory for it.</exception>
    public static PixelBuffer Read(SKCodec codec, string origin, int leastSide = int.MaxValue)
        => Decode(codec, origin, Reduced(codec, leastSide));

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
}
