using System.Buffers.Binary;
using System.Buffers.Text;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>The last result of a page: where the next one goes on. As text it is not meant to be read.</summary>
internal readonly record struct PageKey(ResultOrder Order, DateTime Time, float Score, Guid Id)
{
    private const int Length = 1 + 8 + 4 + 16;

    public static PageKey From(ResultOrder order, ResultRow row) => new(order, row.Time, row.Score, row.Id);

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        bytes[0] = (byte)Order;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[1..], Time.Ticks);
        BinaryPrimitives.WriteSingleLittleEndian(bytes[9..], Score);
        Id.TryWriteBytes(bytes[13..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <exception cref="ArgumentException">It was not made by <see cref="ToString"/>, or for another order.</exception>
    public static PageKey Parse(string text, ResultOrder order)
    {
        Span<byte> bytes = stackalloc byte[Length];
        if (text.Length <= 2 * Length && Base64Url.IsValid(text, out var length) && length == Length
            && Base64Url.DecodeFromChars(text, bytes) == Length && bytes[0] == (byte)order
            && BinaryPrimitives.ReadInt64LittleEndian(bytes[1..]) is >= 0 and var ticks && ticks <= DateTime.MaxValue.Ticks
            && BinaryPrimitives.ReadSingleLittleEndian(bytes[9..]) is var score && float.IsFinite(score))
        {
            return new PageKey(order, new DateTime(ticks, DateTimeKind.Utc), score, new Guid(bytes[13..]));
        }

        throw new ArgumentException("After: expected what the page before gave as its next, in the same order.", nameof(text));
    }
}
