using System.Buffers.Binary;

namespace Microsoft.ML.KagPrompt.OnnxReading;

/// <summary>The fields of a message in the protocol buffers' wire format, one after the other, nothing copied.</summary>
internal ref struct ProtobufFields(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> rest = message;

    /// <summary>The current field's number.</summary>
    public int Number { get; private set; }

    /// <summary>Whether it holds bytes, a text or a message.</summary>
    public bool IsBytes { get; private set; }

    /// <summary>Its value, where it is a number.</summary>
    public ulong Value { get; private set; }

    /// <summary>Its value, where it is not.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Its value as text.</summary>
    public readonly string Text => System.Text.Encoding.UTF8.GetString(Bytes);

    /// <summary>Goes to the next field.</summary>
    /// <exception cref="InvalidDataException">There is none, and the message does not end.</exception>
    public bool MoveNext()
    {
        if (rest.IsEmpty)
        {
            return false;
        }

        var tag = Varint();
        (Number, IsBytes, Value) = ((int)((tag >> 3) & 0x1FFFFFFF), false, 0);
        Bytes = default;
        switch (tag & 7)
        {
            case 0:
                Value = Varint();
                break;
            case 1:
                Value = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                IsBytes = true;
                Bytes = Take(Varint());
                break;
            case 5:
                Value = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw new InvalidDataException($"it holds a field of kind {tag & 7}, which there is not.");
        }

        return Number > 0 ? true : throw new InvalidDataException("it holds a field without a number.");
    }

    private ulong Varint()
    {
        var value = 0UL;
        for (var (i, shift) = (0, 0); i < rest.Length && shift < 64; i++, shift += 7)
        {
            value |= (ulong)(rest[i] & 0x7F) << shift;
            if (rest[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return value;
            }
        }

        throw new InvalidDataException("a number in it does not end.");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)rest.Length)
        {
            throw new InvalidDataException($"it ends early: a part of {length} bytes begins {rest.Length} bytes before its end.");
        }

        var taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }
}
