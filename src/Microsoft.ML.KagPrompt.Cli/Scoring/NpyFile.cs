using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>Anomaly maps in NumPy's format, which keeps every bit.</summary>
internal static class NpyFile
{
    /// <summary>Version 1.0: float32, C order, shape (height, width). What was not inspected is NaN.</summary>
    public static void Write(Stream stream, ReadOnlySpan<float> map, int width, int height)
    {
        var header = string.Create(CultureInfo.InvariantCulture,
            $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({height}, {width}), }}");
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
}
