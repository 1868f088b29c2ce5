using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Results.Files;

namespace Microsoft.ML.KagPrompt.Results.Journal;

/// <summary>Makes sound what an earlier process left: cuts torn tails, sets damaged entries aside, deletes what is empty.</summary>
internal static partial class JournalRecovery
{
    public const string Damaged = ".damaged";

    /// <summary>The segment with the number of its entries; null: it had none and is deleted.</summary>
    /// <exception cref="ResultStoreException">It is of another version, or no journal.</exception>
    public static (JournalSegment Segment, int Entries)? Open(string path, ILogger log)
    {
        var bytes = File.ReadAllBytes(path);
        if (IsUnfinished(bytes))
        {
            File.Delete(path);
            return null;
        }

        if (!bytes.AsSpan().StartsWith(JournalSegment.Magic))
        {
            throw new ResultStoreException($"'{path}' is no journal of this version: expected it to begin with KAGRES01. It was written by "
                + "a newer version, or is damaged at its beginning. Use that version, or move the file away; its results are then not "
                + "stored.");
        }

        var (sound, entries, end) = Scan(bytes);
        if (end < bytes.Length)
        {
            // What a crash tore off and what a disk damaged at the end look the same.
            File.Copy(path, path + Damaged, overwrite: true);
            LogTorn(log, path, bytes.Length - end, entries, path + Damaged);
        }

        if (entries == 0)
        {
            File.Delete(path);
            return null;
        }

        if (sound.Count > 1)
        {
            // Not torn by a crash, as whole entries follow: the disk did it. For a person to look at.
            File.Copy(path, path + Damaged, overwrite: true);
            LogDamaged(log, path, sound.Count - 1, path + Damaged);
            byte[] mended = [.. bytes[..JournalSegment.HeaderLength], .. sound.SelectMany(range => bytes[range])];
            WholeFile.Write(path, mended);
            end = mended.Length;
        }
        else if (end < bytes.Length)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
            file.SetLength(end);
            file.Flush(flushToDisk: true);
        }

        return (new JournalSegment(path, JournalSegment.CreatedOf(bytes), end), entries);
    }

    /// <summary>Ranges of whole entries without a gap, how many entries there are, and where the last one ends.</summary>
    private static (List<Range> Sound, int Entries, int End) Scan(byte[] bytes)
    {
        var (sound, entries) = (new List<Range>(), 0);
        var (first, end, at) = (JournalSegment.HeaderLength, JournalSegment.HeaderLength, JournalSegment.HeaderLength);
        while (at < bytes.Length)
        {
            if (!JournalFrame.TryRead(bytes.AsSpan(at), out var payload))
            {
                // A damaged length says nothing of where the next entry begins: it is looked for at every place.
                at++;
                continue;
            }

            if (at != end)
            {
                sound.Add(first..end);
                first = at;
            }

            entries++;
            at = end = at + JournalFrame.LengthOf(payload.Length);
        }

        sound.Add(first..end);
        return (sound, entries, end);
    }

    /// <summary>Its creation was broken off before an entry could be acknowledged: too short, or a length without bytes.</summary>
    private static bool IsUnfinished(byte[] bytes)
        => bytes.Length < JournalSegment.HeaderLength || !bytes.AsSpan().ContainsAnyExcept((byte)0);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The journal '{Path}' ended in {Bytes} bytes that are no entry: never acknowledged, or damaged by the disk. "
            + "They are cut off, {Entries} entries stay. As it was: '{Copy}'.")]
    private static partial void LogTorn(ILogger log, string path, int bytes, int entries, string copy);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The journal '{Path}' is damaged in {Places} place(s) by its disk: entries there are lost. As it was: '{Copy}'.")]
    private static partial void LogDamaged(ILogger log, string path, int places, string copy);
}
