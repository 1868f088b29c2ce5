using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Small image files written byte by byte, as encoders at hand do not write them.</summary>
internal static class ImageBytes
{
    /// <summary>A PNG of rows as they are stored, without filters, with chunks before its data.</summary>
    public static byte[] Png(int width, int height, byte depth, byte colourType, byte[] rows, params (string Name, byte[] Data)[] chunks)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (depth, colourType);
        var (stride, packed) = (rows.Length / height, new MemoryStream());
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(rows, y * stride, stride);
            }
        }

        return [0x89, .. "PNG\r\n\x1a\n"u8, .. Chunk("IHDR", header), .. chunks.SelectMany(chunk => Chunk(chunk.Name, chunk.Data)), .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
    }

    /// <summary>EXIF with an orientation alone, and a thumbnail's bytes behind it.</summary>
    public static byte[] Exif(int orientation, byte[]? thumbnail = null)
        => [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0, .. thumbnail ?? []];

    /// <summary>A JPEG with EXIF.</summary>
    public static byte[] WithExif(byte[] jpeg, byte[] exif)
    {
        var length = exif.Length + 8;
        return [.. jpeg[..2], 0xFF, 0xE1, (byte)(length >> 8), (byte)length, .. "Exif\0\0"u8, .. exif, .. jpeg[2..]];
    }

    /// <summary>A 32-bit bitmap whose header names an alpha mask, bottom row first: B, G, R, A.</summary>
    public static byte[] BitmapWithAlpha(int width, int height, byte[] bgra)
    {
        var file = new byte[122 + bgra.Length];
        "BM"u8.CopyTo(file);
        void Put(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
        (int, int)[] fields = [(2, file.Length), (10, 122), (14, 108), (18, width), (22, height), (26, 1 | (32 << 16)), (30, 3), (34, bgra.Length), (54, 0xFF0000), (58, 0xFF00), (62, 0xFF), (66, unchecked((int)0xFF000000))];
        foreach (var (at, value) in fields)
        {
            Put(at, value);
        }

        "BGRs"u8.CopyTo(file.AsSpan(70));
        bgra.CopyTo(file, 122);
        return file;
    }

    /// <summary>A GIF of two pictures of 2 x 1 pixels: red and green, then blue and blue. Green is see-through where asked.</summary>
    public static byte[] Gif(bool seeThrough)
    {
        byte[] Picture(int first, int second)
        {
            // Three bits a code: clear, the two pixels, end.
            var codes = 4 | (first << 3) | (second << 6) | (5 << 9);
            return [0x2C, 0, 0, 0, 0, 2, 0, 1, 0, 0, 2, 2, (byte)codes, (byte)(codes >> 8), 0];
        }

        byte[] control = [0x21, 0xF9, 4, (byte)(seeThrough ? 1 : 0), 10, 0, 1, 0];
        return [.. "GIF89a"u8, 2, 0, 1, 0, 0xA1, 0, 0, 200, 0, 0, 0, 150, 0, 0, 0, 100, 9, 9, 9, .. control, .. Picture(0, 1), .. control, .. Picture(2, 2), 0x3B];
    }

    private static byte[] Chunk(string name, byte[] data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(name), .. data];
        var (length, sum) = (new byte[4], new byte[4]);
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(sum, Crc(body));
        return [.. length, .. body, .. sum];
    }

    private static uint Crc(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
