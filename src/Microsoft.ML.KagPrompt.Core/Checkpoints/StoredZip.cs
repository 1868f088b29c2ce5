using System.Buffers.Binary;
using System.Text;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// A zip whose entries are stored plainly, as PyTorch writes them, read by position. What compresses is refused, so nothing unpacks to more
/// than its file, and so is what overlaps: no byte belongs to two entries. Reading is thread-safe.
/// </summary>
internal sealed class StoredZip : IDisposable
{
    private const int MostEntries = 200_000;
    private const long LargestDirectory = 64L << 20;
    private const int EndLength = 22;
    private const int LocatorLength = 20;
    private const int End64Length = 56;
    private const int EntryLength = 46;
    private const int LocalLength = 30;

    private readonly SafeFileHandle file;
    private readonly string path;
    private readonly Dictionary<string, (long Offset, long Length)> entries = [];

    private StoredZip(string path, SafeFileHandle file)
    {
        (this.path, this.file, Length) = (path, file, RandomAccess.GetLength(file));
        var (count, start, size) = FindDirectory();
        if (count is < 1 or > MostEntries || size is < 0 or > LargestDirectory || start < 0 || start > Length - size)
        {
            throw Damaged(
                $"a directory of 1 to {MostEntries} entries within the file's {Length} bytes",
                $"{count} entries in {size} bytes at {start}");
        }

        ReadDirectory(Bytes(start, (int)size), (int)count, start);
    }

    /// <summary>The file's bytes.</summary>
    public long Length { get; }

    public IReadOnlyCollection<string> Names => entries.Keys;

    /// <exception cref="CheckpointFormatException">It is no zip, is damaged, compressed or encrypted, or its entries overlap.</exception>
    public static StoredZip Open(string path)
    {
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
        try
        {
            return new StoredZip(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>An entry's length; null where there is none.</summary>
    public long? LengthOf(string name) => entries.TryGetValue(name, out var entry) ? entry.Length : null;

    /// <summary>Fills a buffer from a place in an entry.</summary>
    public void Read(string name, long offset, Span<byte> destination)
    {
        var (start, length) = entries[name];
        if (offset < 0 || offset > length - destination.Length)
        {
            throw Damaged($"{destination.Length} bytes at {offset} of '{name}'", $"{length} bytes in all");
        }

        Fill(start + offset, destination);
    }

    public void Dispose() => file.Dispose();

    /// <summary>Number of entries, place and size of the central directory, from the records that end the file.</summary>
    private (long Count, long Start, long Size) FindDirectory()
    {
        var tail = Bytes(Math.Max(0, Length - EndLength - ushort.MaxValue), (int)Math.Min(Length, EndLength + ushort.MaxValue));
        var end = tail.AsSpan().LastIndexOf("PK\x05\x06"u8);
        if (end < 0 || end > tail.Length - EndLength)
        {
            throw Damaged("a zip's directory at its end", "none");
        }

        var record = tail.AsSpan(end);
        var (count, size, start) = ((long)U16(record, 10), (long)U32(record, 12), (long)U32(record, 16));
        var locator = Length - tail.Length + end - LocatorLength;
        if ((count != ushort.MaxValue && size != uint.MaxValue && start != uint.MaxValue)
            || locator < 0
            || !Bytes(locator, LocatorLength).AsSpan().StartsWith("PK\x06\x07"u8))
        {
            return (count, start, size);
        }

        var place = U64(Bytes(locator, LocatorLength), 8);
        var record64 = place >= 0 && place <= Length - End64Length ? Bytes(place, End64Length) : [];
        return record64.AsSpan().StartsWith("PK\x06\x06"u8)
            ? (U64(record64, 32), U64(record64, 48), U64(record64, 40))
            : throw Damaged("a zip64 directory", $"none at {place}");
    }

    private void ReadDirectory(byte[] directory, int count, long end)
    {
        var ranges = new List<(long Start, long End)>();
        var rest = directory.AsSpan();
        for (var i = 0; i < count; i++)
        {
            if (rest.Length < EntryLength
                || !rest.StartsWith("PK\x01\x02"u8)
                || rest.Length < EntryLength + U16(rest, 28) + U16(rest, 30) + U16(rest, 32))
            {
                throw Damaged($"{count} entries in its directory", $"{i}");
            }

            var name = Encoding.UTF8.GetString(rest.Slice(EntryLength, U16(rest, 28)));
            var (packed, length, local) = Sizes(rest, rest.Slice(EntryLength + U16(rest, 28), U16(rest, 30)), name);
            if ((U16(rest, 8) & 1) != 0 || U16(rest, 10) != 0 || packed != length)
            {
                throw Damaged($"'{name}' stored plainly", $"method {U16(rest, 10)}, {packed} bytes that unpack to {length}");
            }

            var data = DataStart(local, name);
            if (length < 0 || data > end - length || !entries.TryAdd(name, (data, length)))
            {
                throw Damaged($"'{name}' once, within the file's {Length} bytes", $"{length} bytes at {data}");
            }

            ranges.Add((local, data + length));
            rest = rest[(EntryLength + U16(rest, 28) + U16(rest, 30) + U16(rest, 32))..];
        }

        ranges.Sort();
        for (var i = 1; i < ranges.Count; i++)
        {
            if (ranges[i].Start < ranges[i - 1].End)
            {
                throw Damaged("entries that do not overlap", $"one at {ranges[i].Start} within another that ends at {ranges[i - 1].End}");
            }
        }
    }

    /// <summary>An entry's two lengths and its place, from the zip64 field where the usual ones are full.</summary>
    private (long Packed, long Length, long Local) Sizes(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> extra, string name)
    {
        var values = new long[] { U32(entry, 24), U32(entry, 20), U32(entry, 42) };
        while (extra.Length >= 4)
        {
            var field = extra.Slice(4, Math.Min(U16(extra, 2), extra.Length - 4));
            if (U16(extra, 0) == 1)
            {
                for (var k = 0; k < values.Length; k++)
                {
                    if (values[k] == uint.MaxValue)
                    {
                        values[k] = field.Length >= 8 ? U64(field, 0) : throw Damaged($"the zip64 sizes of '{name}'", "too few");
                        field = field[8..];
                    }
                }
            }

            extra = extra[(4 + Math.Min(U16(extra, 2), extra.Length - 4))..];
        }

        return (values[1], values[0], values[2]);
    }

    /// <summary>Where an entry's data begins, after its own header, which must name it as the directory does.</summary>
    private long DataStart(long local, string name)
    {
        if (local < 0 || local > Length - LocalLength)
        {
            throw Damaged($"'{name}' within the file's {Length} bytes", $"at {local}");
        }

        var header = Bytes(local, LocalLength);
        var (nameLength, extraLength) = (U16(header, 26), U16(header, 28));
        return header.AsSpan().StartsWith("PK\x03\x04"u8)
            && local <= Length - LocalLength - nameLength - extraLength
            && Encoding.UTF8.GetString(Bytes(local + LocalLength, nameLength)) == name
                ? local + LocalLength + nameLength + extraLength
                : throw Damaged($"the header of '{name}' at {local}", "another");
    }

    private byte[] Bytes(long offset, int count)
    {
        var bytes = new byte[count];
        Fill(offset, bytes);
        return bytes;
    }

    private void Fill(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
            {
                throw Damaged($"{Length} bytes", $"an end at {offset}");
            }

            offset += read;
            destination = destination[read..];
        }
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private CheckpointFormatException Damaged(string expected, string got)
        => new($"{path} is not a PyTorch checkpoint or is damaged: expected {expected}, got {got}. Fetch the file again.");
}
