using System.Buffers.Binary;
using System.Globalization;

namespace Microsoft.ML.KagPrompt.Results.Journal;

/// <summary>One file of the journal, and how much of it is flushed and stored. Guarded by the journal.</summary>
internal sealed class JournalSegment(string path, DateTimeOffset created, long committed)
{
    public const string Extension = ".journal";

    /// <summary>The magic, and when the segment was begun (milliseconds since 1970, little endian).</summary>
    public const int HeaderLength = 16;

    /// <summary>What a segment begins with; the last two letters are the format's version.</summary>
    public static ReadOnlySpan<byte> Magic => "KAGRES01"u8;

    public string Path => path;

    /// <summary>No entry in it is older.</summary>
    public DateTimeOffset Created => created;

    /// <summary>Bytes that are on disk for certain.</summary>
    public long Committed { get; set; } = committed;

    /// <summary>Bytes whose entries are in the database.</summary>
    public long Done { get; set; } = HeaderLength;

    public bool IsDone => Done == Committed;

    public static byte[] Header(DateTimeOffset created)
    {
        var header = new byte[HeaderLength];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(Magic.Length), created.ToUnixTimeMilliseconds());
        return header;
    }

    public static DateTimeOffset CreatedOf(ReadOnlySpan<byte> header)
        => DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(header[Magic.Length..]));

    public static string NameOf(long number) => number.ToString("D12", CultureInfo.InvariantCulture) + Extension;

    /// <summary>Segments in a folder with their numbers, the first one first.</summary>
    public static IReadOnlyList<(long Number, string Path)> List(string folder)
        => [.. Directory.EnumerateFiles(folder, "*" + Extension)
            .Select(file => (Parsed: long.TryParse(System.IO.Path.GetFileNameWithoutExtension(file), NumberStyles.None,
                CultureInfo.InvariantCulture, out var number), Number: number, Path: file))
            .Where(file => file.Parsed).Select(file => (file.Number, file.Path)).OrderBy(file => file.Number)];
}
