using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>Anomaly maps as files: exact (.npy, 32-bit floats) and to look at (16-bit grey PNG).</summary>
internal static class MapFiles
{
    /// <summary>NumPy's format, version 1.0: float32, C order, shape (height, width). What was not inspected is NaN.</summary>
    public static void WriteNpy(Stream stream, ReadOnlySpan<float> map, int width, int height)
    {
        var header = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({height}, {width}), }}");
        // Magic, version and length take 10 bytes; the data begins at a multiple of 64.
        header = header.PadRight(((10 + header.Length + 1 + 63) / 64 * 64) - 11) + '\n';
        stream.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8), .. Encoding.ASCII.GetBytes(header)]);
        if (BitConverter.IsLittleEndian)
        {
            stream.Write(MemoryMarshal.AsBytes(map));
            return;
        }

        Span<byte> value = stackalloc byte[4];
        foreach (var number in map)
        {
            BinaryPrimitives.WriteSingleLittleEndian(value, number);
            stream.Write(value);
        }
    }

    /// <summary>Grey PNG of 16 bits: 0 to 65535 are map values 0 to 1; beyond is clamped, and what was not inspected is 0.</summary>
    public static void WritePng(Stream stream, ReadOnlySpan<float> map, int width, int height)
    {
        var rows = new byte[height * (1 + (2 * width))];      // each row after its filter, none
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var value = map[(y * width) + x];
                var level = float.IsNaN(value) ? 0 : (ushort)MathF.Round(Math.Clamp(value, 0, 1) * ushort.MaxValue);
                BinaryPrimitives.WriteUInt16BigEndian(rows.AsSpan((y * (1 + (2 * width))) + 1 + (2 * x)), (ushort)level);
            }
        }

        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(rows);
        }

        var size = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(size, width);
        BinaryPrimitives.WriteInt32BigEndian(size.AsSpan(4), height);
        size[8] = 16;                                          // bits; colour type, compression, filter and interlace stay 0: grey
        stream.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Chunk(stream, "IHDR"u8, size);
        Chunk(stream, "IDAT"u8, packed.ToArray());
        Chunk(stream, "IEND"u8, []);
    }

    private static void Chunk(Stream stream, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        stream.Write(number);
        stream.Write(name);
        stream.Write(data);
        var check = new Crc32();
        check.Append(name);
        check.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, check.GetCurrentHashAsUInt32());
        stream.Write(number);
    }
}
