using System.Buffers.Binary;
using Microsoft.ML.KagPrompt.Diagnostics;
using SkiaSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Tells image files that end early. The decoders fill what is missing of a half-copied photograph with grey and say nothing, and it would be scored as if it were the part.
/// </summary>
internal static class ImageFileEnd
{
    // Where a whole file's last marker is looked for; a few writers put bytes behind it.
    private const int Tail = 4096;

    /// <exception cref="ImageReadException">The file ends before its image does.</exception>
    public static void Require(byte[] file, string origin)
    {
        if (!HasEnd(file.AsSpan(0, Math.Min(file.Length, 8)), file.AsSpan(Math.Max(0, file.Length - Tail)), file.LongLength) && EndsEarly(file, origin))
        {
            throw Early(origin);
        }
    }

    /// <summary>The same of a file on disk, of which only the two ends are read where it is whole.</summary>
    /// <exception cref="ImageReadException">The file ends before its image does.</exception>
    public static void Require(string path, string origin)
    {
        Span<byte> head = stackalloc byte[8];
        Span<byte> tail = stackalloc byte[Tail];
        using var handle = File.OpenHandle(path);
        var length = RandomAccess.GetLength(handle);
        head = head[..RandomAccess.Read(handle, head, 0)];
        tail = tail[..RandomAccess.Read(handle, tail, Math.Max(0, length - Tail))];
        if (!HasEnd(head, tail, length) && EndsEarly(File.ReadAllBytes(path), origin))
        {
            throw Early(origin);
        }
    }

    /// <summary>PNG's last chunk, JPEG's end-of-image marker, BMP's own length. False says only that decoding must tell.</summary>
    private static bool HasEnd(ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail, long length) => head switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => tail.IndexOf("IEND"u8) is >= 0 and var at && tail.Length >= at + 8,
        [0xFF, 0xD8, ..] => tail.LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xD9]) >= 0,
        [(byte)'B', (byte)'M', ..] => head.Length >= 6 && BinaryPrimitives.ReadUInt32LittleEndian(head[2..]) is > 0 and var promised && length >= promised,
        _ => false,
    };

    private static bool EndsEarly(byte[] file, string origin)
    {
        using var codec = ImageCodec.Open(file, origin);
        using var bitmap = new SKBitmap();
        return !bitmap.TryAllocPixels(new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul))
            || codec.GetPixels(bitmap.Info, bitmap.GetPixels()) != SKCodecResult.Success;
    }

    private static ImageReadException Early(string origin) => new($"{origin}: the image ends early. Expected a whole PNG, JPEG or BMP file, got the first part of one. Copy it again, after it was written to its end.");
}
