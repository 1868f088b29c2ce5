using System.Buffers.Binary;
using Microsoft.ML.KagPrompt.Imaging;
using SkiaSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// What the decoder does not tell of a file: PNG's EXIF and depth, whether WebP lost something,
/// which entry of a GIF's palette is see-through.
/// </summary>
internal static class ImageHeader
{
    private const int OrientationTag = 0x0112;

    public static ImageFileInfo Read(byte[] file, string kind, SKCodec codec)
    {
        var turn = codec.EncodedOrigin is >= SKEncodedOrigin.TopLeft and <= SKEncodedOrigin.LeftBottom
            ? (int)codec.EncodedOrigin
            : ExifTurns.Upright;
        var depth = kind == "PNG" && file.Length > 24 ? file[24] : 8;
        // A GIF's decoder was given it without transparency.
        var hasAlpha = codec.Info.AlphaType != SKAlphaType.Opaque
            || (kind == "GIF" && !ReferenceEquals(WithoutGifTransparency(file), file));
        return new(
            kind,
            codec.Info.Width,
            codec.Info.Height,
            kind == "PNG" ? PngOrientation(file) : turn,
            Math.Max(1, codec.FrameCount),
            hasAlpha,
            depth,
            kind == "JPEG" || (kind == "WebP" && IsLossyWebP(file)));
    }

    /// <summary>
    /// The file with no colour of its first picture see-through: the decoder would give black there. The same array where there is none.
    /// </summary>
    public static byte[] WithoutGifTransparency(byte[] file)
    {
        const int GraphicControl = 0xF9, Extension = 0x21;
        if (file.Length < 13)
        {
            return file;
        }

        var at = 13 + ((file[10] & 0x80) != 0 ? 3 << ((file[10] & 7) + 1) : 0);
        while (at + 3 < file.Length && file[at] == Extension)
        {
            if (file[at + 1] == GraphicControl && (file[at + 3] & 1) != 0)
            {
                var opaque = (byte[])file.Clone();
                opaque[at + 3] &= 0xFE;
                return opaque;
            }

            // Blocks of bytes, each after its length; an empty one ends them.
            for (at += 2; at < file.Length && file[at] != 0;)
            {
                at += file[at] + 1;
            }

            at++;
        }

        return file;
    }

    /// <summary>PNG's chunks: name, and where its data lies. Ends where the file is no longer whole.</summary>
    public static IEnumerable<(string Name, int At, int Length)> PngChunks(byte[] file)
    {
        for (var at = 8L; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan((int)at));
            if (at + 12 + length > file.Length)
            {
                yield break;
            }

            yield return (System.Text.Encoding.Latin1.GetString(file, (int)at + 4, 4), (int)at + 8, (int)length);
            at += 12 + length;
        }
    }

    private static int PngOrientation(byte[] file)
    {
        var (_, at, length) = PngChunks(file).FirstOrDefault(chunk => chunk.Name == "eXIf");
        return length == 0 ? ExifTurns.Upright : OrientationOf(file.AsSpan(at, length));
    }

    /// <summary>The orientation of EXIF's first directory; 1 where there is none.</summary>
    private static int OrientationOf(ReadOnlySpan<byte> exif)
    {
        if (exif.Length < 14 || exif is not ([(byte)'I', (byte)'I', ..] or [(byte)'M', (byte)'M', ..]))
        {
            return ExifTurns.Upright;
        }

        var little = exif[0] == 'I';
        int Short(ReadOnlySpan<byte> bytes)
            => little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
        var directory = little ? BinaryPrimitives.ReadUInt32LittleEndian(exif[4..]) : BinaryPrimitives.ReadUInt32BigEndian(exif[4..]);
        if (directory > exif.Length - 2)
        {
            return ExifTurns.Upright;
        }

        var entries = Short(exif[(int)directory..]);
        for (var at = (int)directory + 2; entries > 0 && at + 12 <= exif.Length; at += 12, entries--)
        {
            if (Short(exif[at..]) == OrientationTag)
            {
                return Short(exif[(at + 8)..]) is >= 1 and <= 8 and var orientation ? orientation : ExifTurns.Upright;
            }
        }

        return ExifTurns.Upright;
    }

    private static bool IsLossyWebP(byte[] file) => file.AsSpan(0, Math.Min(file.Length, 4096)).IndexOf("VP8 "u8) >= 0;
}
