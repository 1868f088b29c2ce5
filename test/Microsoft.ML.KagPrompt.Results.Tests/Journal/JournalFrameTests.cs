using System.Buffers.Binary;
using Microsoft.ML.KagPrompt.Results.Journal;

namespace Microsoft.ML.KagPrompt.Results.Tests.Journal;

public sealed class JournalFrameTests
{
    [Fact]
    public void Write_KnownEntry_HasTheCrc32cOfLengthAndEntry()
    {
        byte[] payload = [.. Enumerable.Range(0, 1003).Select(i => (byte)(i * 7))];
        var frame = new byte[JournalFrame.LengthOf(payload.Length)];
        JournalFrame.Write(frame, payload);
        BinaryPrimitives.ReadUInt32LittleEndian(frame.AsSpan(4)).Should().Be(BitByBit([.. frame[..4], .. payload]));
        BitByBit("123456789"u8).Should().Be(0xE3069283, "or the reference is none");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(1000)]
    public void TryRead_AnyBitFlipped_IsFalse(int length)
    {
        var frame = new byte[JournalFrame.LengthOf(length)];
        JournalFrame.Write(frame, Enumerable.Range(1, length).Select(i => (byte)i).ToArray());
        JournalFrame.TryRead(frame, out var payload).Should().BeTrue();
        payload.Length.Should().Be(length);
        for (var bit = 0; bit < 8 * frame.Length; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            JournalFrame.TryRead(frame, out _).Should().BeFalse($"bit {bit} is wrong");
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    private static uint BitByBit(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
            }
        }

        return ~crc;
    }
}
