using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace Microsoft.ML.KagPrompt.Results.Pictures;

/// <summary>
/// Maps as NumPy's .npy of half precision in gzip. A PNG of 16 bits is as small, but needs its scale told beside it and has no place for NaN
/// (not inspected); this holds both, and other programs read it in a line.
/// </summary>
internal static partial class MapFile
{
    private const int MostSide = 16_384;
    private const int Preamble = 10;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];

    public static byte[] Encode(ResultMap map)
    {
        if (map.Height is < 1 or > MostSide || map.Width is < 1 or > MostSide || map.Values.Length != map.Height * map.Width)
        {
            throw new ArgumentException($"Map: expected Height × Width values, sides of 1 to {MostSide}, got {map.Values.Length} values for "
                + $"{map.Height} × {map.Width}.", nameof(map));
        }

        var shape = FormattableString.Invariant($"{{'descr': '<f2', 'fortran_order': False, 'shape': ({map.Height}, {map.Width}), }}");
        // The values begin at a multiple of 64.
        var padded = shape.PadRight(((Preamble + shape.Length + 1 + 63) / 64 * 64) - Preamble - 1) + '\n';
        var bytes = new byte[Preamble + padded.Length + (2 * map.Values.Length)];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(Magic.Length), (ushort)padded.Length);
        Encoding.ASCII.GetBytes(padded, bytes.AsSpan(Preamble));
        var (at, largest) = (Preamble + padded.Length, (float)Half.MaxValue);
        foreach (var value in map.Values.Span)
        {
            BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(at), (Half)Math.Clamp(value, -largest, largest));
            at += 2;
        }

        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; its hash was checked before.</summary>
    public static ResultMap Decode(byte[] packed)
    {
        using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        var unpacked = new MemoryStream();
        gzip.CopyTo(unpacked);
        var bytes = unpacked.ToArray();
        var header = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(Magic.Length));
        var shape = Shape().Match(Encoding.ASCII.GetString(bytes, Preamble, header));
        var values = new float[(bytes.Length - Preamble - header) / 2];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes.AsSpan(Preamble + header + (2 * i)));
        }

        return new ResultMap(values, Side(shape.Groups[1].Value), Side(shape.Groups[2].Value));
    }

    private static int Side(string digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"'shape': \((\d+), (\d+)\)")]
    private static partial Regex Shape();
}
