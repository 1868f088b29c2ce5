using System.Buffers.Binary;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Tells image files that end early. The decoders fill what is missing of a half-copied photograph with grey and say nothing,
/// and it would be scored as if it were the part.
/// </summary>
internal static class ImageFileEnd
{
    /// <summary>
    /// Whether the end of the image itself is there, and not one of a thumbnail within. False says only that decoding must tell.
    /// </summary>
    public static bool IsThere(byte[] file, string kind) => kind switch
    {
        "PNG" => ImageHeader.PngChunks(file).Any(chunk => chunk.Name == "IEND"),
        "JPEG" => JpegEnds(file),
        "BMP" => file.Length >= 6
            && BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(2)) is > 0 and var promised
            && file.Length >= promised,
        "WebP" => file.Length >= 8
            && BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(4)) is > 0 and var rest
            && file.Length >= rest + 8L,
        _ => false,
    };

    /// <summary>Walks the segments by their lengths, and the coded data between them, to the end-of-image marker.</summary>
    private static bool JpegEnds(byte[] file)
    {
        const int Marker = 0xFF, EndOfImage = 0xD9, StartOfScan = 0xDA;
        for (var at = 2; at + 1 < file.Length;)
        {
            var code = file[at + 1];
            if (file[at] != Marker)
            {
                return false;
            }

            switch (code)
            {
                case EndOfImage:
                    return true;
                // Fill bytes, and markers that stand alone.
                case Marker:
                    at++;
                    continue;
                case 0x01 or (>= 0xD0 and <= 0xD8):
                    at += 2;
                    continue;
            }

            if (at + 3 >= file.Length)
            {
                return false;
            }

            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at + 2));
            if (code != StartOfScan)
            {
                continue;
            }

            // In coded data, what follows 0xFF is 0 or a restart.
            while (at + 1 < file.Length && (file[at] != Marker || file[at + 1] is 0 or (>= 0xD0 and <= 0xD7)))
            {
                at += file.AsSpan(at + 1).IndexOf((byte)Marker) is >= 0 and var next ? next + 1 : file.Length;
            }
        }

        return false;
    }
}
