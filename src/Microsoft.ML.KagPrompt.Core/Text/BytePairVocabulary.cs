using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.KagPrompt.Text;

/// <summary>CLIP's scheme of ids over any list of merges: 256 bytes, 256 word-ending bytes, the merges, start and end of text.</summary>
internal sealed class BytePairVocabulary
{
    private const string WordEnd = "</w>";

    private readonly Dictionary<string, int> ids = [];
    private readonly IReadOnlyList<MergeLine> merges;

    /// <param name="merges">Most frequent first.</param>
    /// <param name="origin">Where they come from, for messages.</param>
    /// <exception cref="CheckpointFormatException">A merge joins what is no token before it, or makes a token that there is.</exception>
    public BytePairVocabulary(IReadOnlyList<MergeLine> merges, string origin)
    {
        this.merges = merges;
        var bytes = PrintableBytes().ToArray();
        foreach (var token in bytes.Concat(bytes.Select(letter => letter + WordEnd)))
        {
            ids.Add(token, ids.Count);
        }

        // In another order or with a token made twice, the tokens of a text would depend on which pair is looked for first.
        foreach (var (number, first, second) in merges)
        {
            if (!ids.ContainsKey(first) || !ids.ContainsKey(second))
            {
                throw new CheckpointFormatException($"{origin}: line {number}, '{first} {second}': "
                    + "expected two parts that are bytes or were merged on lines before. Fetch the file again.");
            }

            if (!ids.TryAdd(first + second, ids.Count))
            {
                throw new CheckpointFormatException($"{origin}: line {number}, '{first} {second}': "
                    + $"'{first}{second}' occurs twice; expected every token once. Fetch the file again.");
            }
        }
    }

    /// <summary>Number of ids, start and end of text included.</summary>
    public int Size => ids.Count + 2;

    public int StartOfText => Size - 2;

    public int EndOfText => Size - 1;

    /// <summary>From Hugging Face's pair of files.</summary>
    /// <exception cref="CheckpointFormatException">A file is damaged, or the two do not belong together.</exception>
    public static BytePairVocabulary FromPair(string vocabularyPath, string mergesPath)
    {
        var vocabulary = new BytePairVocabulary(VocabularyFiles.Merges(mergesPath), mergesPath);
        vocabulary.Check(VocabularyFiles.Ids(vocabularyPath), vocabularyPath, mergesPath);
        return vocabulary;
    }

    /// <summary>Splits words that a pattern finds into tokens.</summary>
    public BpeTokenizer Model(PreTokenizer words) => BpeTokenizer.Create(new BpeOptions(ids)
    {
        Merges = merges.Select(merge => $"{merge.First} {merge.Second}"),
        ByteLevel = true,
        EndOfWordSuffix = WordEnd,
        PreTokenizer = words,
    });

    private void Check(IReadOnlyDictionary<string, int> published, string vocabularyPath, string mergesPath)
    {
        var expected = ids.Append(new("<|startoftext|>", StartOfText)).Append(new("<|endoftext|>", EndOfText));
        if (published.Count != Size || !expected.All(entry => published.TryGetValue(entry.Key, out var id) && id == entry.Value))
        {
            throw new CheckpointFormatException($"{vocabularyPath} ({published.Count} tokens) does not belong to "
                + $"{mergesPath} (which makes {Size}): their tokens or ids differ. Fetch both from the same model.");
        }
    }

    /// <summary>A printable character for every byte: itself where printable, else one from U+0100 on.</summary>
    private static IEnumerable<string> PrintableBytes()
        => Enumerable.Range('!', '~' - '!' + 1)
            .Concat(Enumerable.Range(0xA1, 0xAC - 0xA1 + 1))
            .Concat(Enumerable.Range(0xAE, 0xFF - 0xAE + 1))
            .Concat(Enumerable.Range(0x100, 68))
            .Select(code => ((char)code).ToString());
}
