namespace Microsoft.ML.KagPrompt.Results.Journal;

/// <summary>Entries that follow one another in a segment.</summary>
/// <param name="Segment">Where they are.</param>
/// <param name="End">Where the last one ends.</param>
/// <param name="Entries">Their bytes, in the order in which they were acknowledged.</param>
internal sealed record JournalBatch(JournalSegment Segment, long End, IReadOnlyList<byte[]> Entries)
{
    private const int MostBytes = 1 << 20;

    /// <summary>Reads the first entries of a range.</summary>
    /// <param name="segment">Where.</param>
    /// <param name="from">Where the first one begins.</param>
    /// <param name="to">Where the last one ends.</param>
    /// <param name="most">Most entries.</param>
    /// <exception cref="ResultStoreException">There is no whole entry any more.</exception>
    public static JournalBatch Read(JournalSegment segment, long from, long to, int most)
    {
        var bytes = new byte[(int)Math.Min(to - from, MostBytes)];
        using (var file = File.OpenHandle(segment.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        {
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), from + read) is > 0 and var more)
            {
                read += more;
            }
        }

        var (entries, at) = (new List<byte[]>(), 0);
        while (entries.Count < most && JournalFrame.TryRead(bytes.AsSpan(at), out var payload))
        {
            entries.Add(payload.ToArray());
            at += JournalFrame.LengthOf(payload.Length);
        }

        return entries.Count > 0 ? new JournalBatch(segment, from + at, entries)
            : throw new ResultStoreException($"The journal '{segment.Path}' cannot be read at byte {from} any more, though it was written: "
                + "the disk or another program changed it. Restart this program, which sets aside what is damaged.");
    }
}
