using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Results.Journal;

/// <summary>
/// How an entry lies in a segment: its length (4 bytes, little endian), the CRC-32C of those and of the entry (4 bytes), the entry.
/// </summary>
internal static class JournalFrame
{
    public const int HeaderLength = 8;

    /// <summary>Longest entry; a record's texts are bounded well below it.</summary>
    public const int MostBytes = 1 << 16;

    public static int LengthOf(int payload) => HeaderLength + payload;

    public static void Write(Span<byte> target, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, payload.Length);
        payload.CopyTo(target[HeaderLength..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], Checksum(target[..4], payload));
    }

    /// <summary>The entry at the beginning of <paramref name="bytes"/>; false: there is none that is whole.</summary>
    /// <param name="bytes">From a frame's beginning on.</param>
    /// <param name="payload">The entry.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (bytes.Length < HeaderLength || BinaryPrimitives.ReadInt32LittleEndian(bytes) is not (> 0 and <= MostBytes and var length)
            || bytes.Length < LengthOf(length))
        {
            return false;
        }

        payload = bytes.Slice(HeaderLength, length);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) == Checksum(bytes[..4], payload);
    }

    private static uint Checksum(ReadOnlySpan<byte> length, ReadOnlySpan<byte> payload)
        => ~Continue(Continue(uint.MaxValue, length), payload);

    private static uint Continue(uint crc, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        }

        foreach (var value in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return crc;
    }
}
