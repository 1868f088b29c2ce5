using System.Buffers.Binary;
using System.Text;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>A pickle's bytes, read from the first to the last; what does not belong there is refused with its place.</summary>
internal sealed class PickleBytes(string origin, byte[] pickle)
{
    public string Origin => origin;

    public int Position { get; private set; }

    public byte Byte() => pickle[Position++];

    /// <summary>A number or size of four bytes.</summary>
    public int Count() => checked((int)BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));

    public ReadOnlySpan<byte> Take(int count)
    {
        var bytes = pickle.AsSpan(Position, count);
        Position += count;
        return bytes;
    }

    public string Text(int count) => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Take(count));

    public string Line()
    {
        var length = pickle.AsSpan(Position).IndexOf((byte)'\n');
        var line = Encoding.ASCII.GetString(Take(length));
        Position++;
        return line;
    }

    public long Long(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8)
        {
            throw Refuse($"an integer of {bytes.Length} bytes");
        }

        var value = bytes.Length > 0 && (bytes[^1] & 0x80) != 0 ? -1L : 0L;
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }

        return value;
    }

    /// <summary>What an instruction takes, where it is of that kind.</summary>
    public T As<T>(object? value)
        => value is T known ? known : throw Refuse($"{value?.GetType().Name ?? "nothing"} where {typeof(T).Name} belongs");

    public CheckpointFormatException Refuse(string what)
        => new($"{origin} is damaged or hostile: its pickle holds {what} (byte {Position}). "
            + "Fetch the file again from where it was published.");
}
