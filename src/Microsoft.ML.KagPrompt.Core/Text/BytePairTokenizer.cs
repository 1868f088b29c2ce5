using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.KagPrompt.Text;

/// <summary>Turns a text into the fixed-length row of token ids a text tower reads, as CLIP does.</summary>
/// <remarks>Any text tokenises, by bytes where no merge fits. "&lt;|startoftext|&gt;" in a text is plain text. Thread-safe.</remarks>
internal sealed partial class BytePairTokenizer
{
    /// <summary>Tokens of a row in CLIP and ImageBind.</summary>
    public const int ClipContextLength = 77;

    private readonly BytePairVocabulary vocabulary;
    private readonly BpeTokenizer model;

    /// <summary>Builds the vocabulary from merges, most frequent first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The context has no room for a token.</exception>
    /// <exception cref="CheckpointFormatException">A merge joins what is no token before it, or makes a token that there is.</exception>
    public BytePairTokenizer(IReadOnlyList<(string First, string Second)> merges, int contextLength)
        : this(
            new BytePairVocabulary([.. merges.Select((merge, i) => new MergeLine(i + 1, merge.First, merge.Second))], "merges"),
            contextLength)
    {
    }

    private BytePairTokenizer(BytePairVocabulary vocabulary, int contextLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 3);
        ContextLength = contextLength;
        this.vocabulary = vocabulary;
        model = vocabulary.Model(new RegexPreTokenizer(WordPattern(), null));
    }

    /// <summary>Length of a row.</summary>
    public int ContextLength { get; }

    /// <summary>Number of token ids, special tokens included; the end-of-text token is the largest.</summary>
    public int VocabularySize => vocabulary.Size;

    /// <summary>CLIP's tokenizer from its published vocabulary, bpe_simple_vocab_16e6.txt.gz.</summary>
    /// <exception cref="CheckpointFormatException">The file is not that vocabulary.</exception>
    public static BytePairTokenizer FromClipVocabulary(string path, int contextLength = ClipContextLength)
        => new(new BytePairVocabulary(VocabularyFiles.OfClip(path), path), contextLength);

    /// <summary>CLIP's tokenizer from Hugging Face's pair of files.</summary>
    /// <param name="vocabulary">vocab.json: ids by token; they must be those that the merges imply.</param>
    /// <param name="merges">merges.txt: a version line, then one merge a line.</param>
    /// <param name="contextLength">Length of a row.</param>
    /// <exception cref="CheckpointFormatException">A file is damaged, or the two do not belong together.</exception>
    public static BytePairTokenizer FromVocabularyAndMerges(string vocabulary, string merges, int contextLength = ClipContextLength)
        => new(BytePairVocabulary.FromPair(vocabulary, merges), contextLength);

    /// <summary>A tokenizer from a text with one merge a line: two parts and a space.</summary>
    /// <exception cref="CheckpointFormatException">A line is not a merge.</exception>
    public static BytePairTokenizer FromMerges(Stream text, int contextLength)
        => new(new BytePairVocabulary(VocabularyFiles.Merges(text, "merges"), "merges"), contextLength);

    /// <summary>Start-of-text, the text's tokens, end-of-text, zeros. A longer text is cut, end-of-text kept.</summary>
    public long[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var row = new long[ContextLength];
        row[0] = vocabulary.StartOfText;
        var length = 1;
        foreach (var id in model.EncodeToIds(Clean(text)).Take(ContextLength - 2))
        {
            row[length++] = id;
        }

        row[length] = vocabulary.EndOfText;
        return row;
    }

    /// <summary>As CLIP prepares a text; what is no Unicode (half a surrogate pair) becomes the replacement character.</summary>
    private static string Clean(string text)
        => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(WebUtility.HtmlDecode(WebUtility.HtmlDecode(text)))).ToLowerInvariant();

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex WordPattern();
}
