using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>Writes the PNG files that general codecs do not: palette pictures, at a tenth of the size, and grey of 16 bits.</summary>
internal static class Png
{
    private const byte Grey = 0;
    private const byte Indexed = 3;

    public static byte[] Encode(PaletteImage picture)
    {
        var rows = new byte[picture.Indices.Length + picture.Height];
        for (var y = 0; y < picture.Height; y++)
        {
            // A row begins with its filter: 0, none.
            picture.Indices.AsSpan(y * picture.Width, picture.Width).CopyTo(rows.AsSpan((y * (picture.Width + 1)) + 1));
        }

        return Whole(picture.Width, picture.Height, 8, Indexed,
            [
                ("PLTE", [.. picture.Palette.SelectMany(color => new[] { color.R, color.G, color.B })]),
                ("tRNS", [.. picture.Palette.Select(color => color.A)]),
            ],
            rows);
    }

    /// <summary>Grey levels, row by row.</summary>
    public static byte[] Encode(ReadOnlySpan<ushort> levels, int width, int height)
    {
        var rows = new byte[height * (1 + (2 * width))];
        for (var p = 0; p < levels.Length; p++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(rows.AsSpan((p / width * (1 + (2 * width))) + 1 + (2 * (p % width))), levels[p]);
        }

        return Whole(width, height, 16, Grey, [], rows);
    }

    private static byte[] Whole(int width, int height, byte bits, byte colorType, (string Type, byte[] Data)[] before, byte[] rows)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (bits, colorType);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            zlib.Write(rows);
        }

        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        foreach (var (type, data) in (IEnumerable<(string, byte[])>)[("IHDR", header), .. before, ("IDAT", packed.ToArray()), ("IEND", [])])
        {
            Chunk(file, type, data);
        }

        return file.ToArray();
    }

    private static void Chunk(MemoryStream file, string type, byte[] data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        byte[] body = [.. type.Select(letter => (byte)letter), .. data];
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.HashToUInt32(body));
        file.Write(number);
    }
}
