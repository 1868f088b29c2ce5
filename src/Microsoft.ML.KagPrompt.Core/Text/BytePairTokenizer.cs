using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Text;

/// <summary>CLIP's byte-pair tokenizer over any list of merges: 256 bytes, 256 word-ending bytes, the merges, start and end of text.</summary>
/// <remarks>Any text tokenises, by bytes where no merge fits. "&lt;|startoftext|&gt;" in a text is plain text. Thread-safe.</remarks>
public sealed partial class BytePairTokenizer : ITokenizer
{
    /// <summary>Tokens of a row in CLIP and ImageBind.</summary>
    public const int ClipContextLength = 77;

    // CLIP's file holds 262,145 merges; CLIP uses those of a 49,408-token vocabulary.
    private const int ClipMerges = 49_408 - 512 - 2;
    private const int LargestVocabularyFile = 16 << 20;
    private const string WordEnd = "</w>";

    private static readonly char[] Alphabet = ByteAlphabet();

    private readonly Dictionary<string, int> ids = [];
    private readonly Dictionary<(string, string), int> ranks = [];
    private readonly ConcurrentDictionary<string, int[]> words = new();

    /// <summary>Builds the vocabulary from merges, most frequent first.</summary>
    /// <exception cref="ArgumentException">The context has no room for a token, or a merge occurs twice.</exception>
    public BytePairTokenizer(IReadOnlyList<(string First, string Second)> merges, int contextLength)
    {
        ArgumentNullException.ThrowIfNull(merges);
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 3);
        ContextLength = contextLength;
        var bytes = Alphabet.Order().Select(c => c.ToString()).ToArray();
        foreach (var token in bytes.Concat(bytes.Select(b => b + WordEnd)).Concat(merges.Select(merge => merge.First + merge.Second)))
        {
            // Two merges can spell one token; the later id wins, as in CLIP's own dictionary.
            ids[token] = NextId++;
        }

        for (var rank = 0; rank < merges.Count; rank++)
        {
            if (!ranks.TryAdd(merges[rank], rank))
            {
                throw new ArgumentException($"merges: '{merges[rank].First} {merges[rank].Second}' occurs twice, at {ranks[merges[rank]]} and {rank}.", nameof(merges));
            }
        }

        VocabularySize = NextId + 2;
    }

    /// <inheritdoc/>
    public int ContextLength { get; }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    private int NextId { get; set; }

    private int StartOfText => VocabularySize - 2;

    private int EndOfText => VocabularySize - 1;

    /// <summary>CLIP's tokenizer from its published vocabulary, bpe_simple_vocab_16e6.txt.gz.</summary>
    /// <exception cref="CheckpointFormatException">The file is not that vocabulary.</exception>
    public static BytePairTokenizer FromClipVocabulary(string path, int contextLength = ClipContextLength)
    {
        using var file = new MemoryStream(SmallFile.ReadAll(path, LargestVocabularyFile));
        try
        {
            using var unpacked = new GZipStream(file, CompressionMode.Decompress);
            var lines = ReadLines(unpacked, path);
            return lines.Length <= ClipMerges
                ? throw new CheckpointFormatException($"{path}: expected more than {ClipMerges} lines of CLIP's vocabulary, got {lines.Length}. Fetch bpe_simple_vocab_16e6.txt.gz again.")
                : new BytePairTokenizer(Merges(lines[1..(ClipMerges + 1)], path), contextLength);
        }
        catch (InvalidDataException fault)
        {
            throw new CheckpointFormatException($"{path} is not a gzip file or is damaged. Expected CLIP's bpe_simple_vocab_16e6.txt.gz.", fault);
        }
    }

    /// <summary>CLIP's tokenizer from Hugging Face's pair of files.</summary>
    /// <param name="vocabulary">vocab.json: ids by token; they must be those that the merges imply.</param>
    /// <param name="merges">merges.txt: a version line, then one merge a line.</param>
    /// <param name="contextLength">Length of a row.</param>
    /// <exception cref="CheckpointFormatException">A file is damaged, or the two do not belong together.</exception>
    public static BytePairTokenizer FromVocabularyAndMerges(string vocabulary, string merges, int contextLength = ClipContextLength)
    {
        using var text = new MemoryStream(SmallFile.ReadAll(merges, LargestVocabularyFile));
        var lines = ReadLines(text, merges);
        var tokenizer = new BytePairTokenizer(Merges(lines.Length > 0 && lines[0].StartsWith("#version", StringComparison.Ordinal) ? lines[1..] : lines, merges), contextLength);
        tokenizer.Check(ReadIds(vocabulary), vocabulary, merges);
        return tokenizer;
    }

    /// <summary>A tokenizer from a text with one merge a line: two parts and a space.</summary>
    /// <exception cref="CheckpointFormatException">A line is not a merge.</exception>
    public static BytePairTokenizer FromMerges(Stream text, int contextLength) => new(Merges(ReadLines(text, "merges"), "merges"), contextLength);

    /// <inheritdoc/>
    public long[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var row = new long[ContextLength];
        row[0] = StartOfText;
        var length = 1;
        foreach (Match word in WordPattern().Matches(Clean(text)))
        {
            foreach (var id in words.Count < 10_000 ? words.GetOrAdd(word.Value, EncodeWord) : EncodeWord(word.Value))
            {
                if (length == ContextLength - 1)
                {
                    row[length] = EndOfText;
                    return row;
                }

                row[length++] = id;
            }
        }

        row[length] = EndOfText;
        return row;
    }

    private void Check(IReadOnlyDictionary<string, int> published, string vocabulary, string merges)
    {
        var expected = ids.Append(new("<|startoftext|>", StartOfText)).Append(new("<|endoftext|>", EndOfText)).ToArray();
        if (published.Count != expected.Length || expected.FirstOrDefault(entry => !published.TryGetValue(entry.Key, out var id) || id != entry.Value) is { Key: not null })
        {
            throw new CheckpointFormatException($"{vocabulary} ({published.Count} tokens) does not belong to {merges} (which makes {expected.Length}): their tokens or ids differ. Fetch both from the same model.");
        }
    }

    private static Dictionary<string, int> ReadIds(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, int>>(SmallFile.ReadAll(path, LargestVocabularyFile)) ?? throw new JsonException("null");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new CheckpointFormatException($"{path} is not a vocabulary (token to id) or is damaged: {fault.Message} Fetch the file again.", fault);
        }
    }

    private static string Clean(string text)
        => WhiteSpace().Replace(WebUtility.HtmlDecode(WebUtility.HtmlDecode(text)), " ").Trim().ToLowerInvariant();

    private int[] EncodeWord(string word)
    {
        var parts = Encoding.UTF8.GetBytes(word).Select(b => Alphabet[b].ToString()).ToList();
        parts[^1] += WordEnd;
        while (parts.Count > 1)
        {
            var (best, first, second) = (int.MaxValue, "", "");
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                if (ranks.TryGetValue((parts[i], parts[i + 1]), out var rank) && rank < best)
                {
                    (best, first, second) = (rank, parts[i], parts[i + 1]);
                }
            }

            if (best == int.MaxValue)
            {
                break;
            }

            var merged = new List<string>(parts.Count);
            for (var i = 0; i < parts.Count; i++)
            {
                if (i + 1 < parts.Count && parts[i] == first && parts[i + 1] == second)
                {
                    merged.Add(first + second);
                    i++;
                }
                else
                {
                    merged.Add(parts[i]);
                }
            }

            parts = merged;
        }

        return [.. parts.Select(part => ids[part])];
    }

    private static (string First, string Second)[] Merges(IReadOnlyList<string> lines, string origin)
    {
        var merges = new (string, string)[lines.Count];
        for (var i = 0; i < merges.Length; i++)
        {
            var parts = lines[i].Split(' ');
            merges[i] = parts.Length == 2 && parts[0].Length > 0 && parts[1].Length > 0 ? (parts[0], parts[1])
                : throw new CheckpointFormatException($"{origin}: line {i + 1} is not a merge: expected two parts and a space, got '{lines[i]}'.");
        }

        // The constructor says so too, but of an argument: here a file is at fault.
        return merges.Distinct().Count() == merges.Length ? merges : throw new CheckpointFormatException($"{origin}: a merge occurs twice. Fetch the file again.");
    }

    private static string[] ReadLines(Stream text, string origin)
    {
        // A vocabulary of a few megabytes must not unpack to gigabytes.
        var buffer = new byte[LargestVocabularyFile];
        var length = text.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length == buffer.Length
            ? throw new CheckpointFormatException($"{origin}: a vocabulary of {LargestVocabularyFile} bytes or more is refused.")
            : Encoding.UTF8.GetString(buffer, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd('\r')).ToArray();
    }

    /// <summary>A printable character for every byte: itself where printable, else one from U+0100 on.</summary>
    private static char[] ByteAlphabet()
    {
        var alphabet = new char[256];
        var next = 256;
        for (var b = 0; b < 256; b++)
        {
            alphabet[b] = IsPrintable(b) ? (char)b : (char)next++;
        }

        return alphabet;
    }

    private static bool IsPrintable(int b) => b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex WordPattern();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
