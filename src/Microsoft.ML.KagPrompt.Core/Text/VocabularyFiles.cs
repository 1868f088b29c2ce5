using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Checkpoints;

namespace Microsoft.ML.KagPrompt.Text;

/// <summary>A merge and the line it stands on, from 1.</summary>
internal readonly record struct MergeLine(int Number, string First, string Second);

/// <summary>Reads published vocabularies, which may be damaged or hostile, within bounds.</summary>
internal static class VocabularyFiles
{
    // CLIP's file holds 262,145 merges; CLIP uses those of a 49,408-token vocabulary.
    private const int ClipMerges = 49_408 - 512 - 2;
    private const int LargestFile = 16 << 20;
    private const int LongestLine = 1000;

    /// <summary>The merges of CLIP's published vocabulary, bpe_simple_vocab_16e6.txt.gz.</summary>
    /// <exception cref="CheckpointFormatException">The file is not that vocabulary.</exception>
    public static IReadOnlyList<MergeLine> OfClip(string path)
    {
        using var file = new MemoryStream(SmallFile.ReadAll(path, LargestFile));
        try
        {
            using var unpacked = new GZipStream(file, CompressionMode.Decompress);
            var lines = Lines(unpacked, path);
            return lines.Length <= ClipMerges
                ? throw new CheckpointFormatException($"{path}: expected more than {ClipMerges} lines of CLIP's vocabulary, "
                    + $"got {lines.Length}. Fetch bpe_simple_vocab_16e6.txt.gz again.")
                : Parse(lines[1..(ClipMerges + 1)], path);
        }
        catch (InvalidDataException fault)
        {
            throw new CheckpointFormatException(
                $"{path} is not a gzip file or is damaged. Expected CLIP's bpe_simple_vocab_16e6.txt.gz.", fault);
        }
    }

    /// <summary>A text with one merge a line: two parts and a space; a first line "#version…" is passed over.</summary>
    /// <exception cref="CheckpointFormatException">A line is not a merge, or the text is too long.</exception>
    public static IReadOnlyList<MergeLine> Merges(Stream text, string origin)
    {
        var lines = Lines(text, origin);
        return Parse(lines.Length > 0 && lines[0].Text.StartsWith("#version", StringComparison.Ordinal) ? lines[1..] : lines, origin);
    }

    /// <summary>The same of a file.</summary>
    /// <exception cref="CheckpointFormatException">A line is not a merge, or the file is no regular one or too long.</exception>
    public static IReadOnlyList<MergeLine> Merges(string path)
    {
        using var text = new MemoryStream(SmallFile.ReadAll(path, LargestFile));
        return Merges(text, path);
    }

    /// <summary>Ids by token from a vocab.json.</summary>
    /// <exception cref="CheckpointFormatException">The file is not such a table, or is too long.</exception>
    public static IReadOnlyDictionary<string, int> Ids(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, int>>(SmallFile.ReadAll(path, LargestFile))
                ?? throw new JsonException("null");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new CheckpointFormatException(
                $"{path} is not a vocabulary (token to id) or is damaged: {fault.Message} Fetch the file again.", fault);
        }
    }

    private static MergeLine[] Parse(IReadOnlyList<(int Number, string Text)> lines, string origin) => [.. lines.Select(line =>
    {
        var parts = line.Text.Split(' ');
        return parts.Length == 2 && parts[0].Length > 0 && parts[1].Length > 0 ? new MergeLine(line.Number, parts[0], parts[1])
            : throw new CheckpointFormatException(
                $"{origin}: line {line.Number} is not a merge: expected two parts and a space, got '{line.Text}'.");
    })];

    private static (int Number, string Text)[] Lines(Stream text, string origin)
    {
        // A vocabulary of a few megabytes must not unpack to gigabytes.
        var buffer = new byte[LargestFile];
        var length = text.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        if (length == buffer.Length)
        {
            throw new CheckpointFormatException($"{origin}: a vocabulary of {LargestFile} bytes or more is refused.");
        }

        var lines = Encoding.UTF8.GetString(buffer, 0, length).Split('\n')
            .Select((line, i) => (Number: i + 1, Text: line.TrimEnd('\r')))
            .Where(line => line.Text.Length > 0)
            .ToArray();
        return lines.FirstOrDefault(line => line.Text.Length > LongestLine) is { Number: > 0 } longest
            ? throw new CheckpointFormatException($"{origin}: line {longest.Number} has {longest.Text.Length} characters; "
                + $"expected a merge of at most {LongestLine}. Fetch the file again.")
            : lines;
    }
}
