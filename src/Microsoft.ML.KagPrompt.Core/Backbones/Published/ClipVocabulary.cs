using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Backbones.Published;

/// <summary>CLIP's vocabulary, which ImageBind and OpenCLIP share, beside a checkpoint.</summary>
internal static class ClipVocabulary
{
    public const string PublishedName = "bpe_simple_vocab_16e6.txt.gz";
    public const string VocabularyName = "vocab.json";
    public const string MergesName = "merges.txt";

    /// <summary>The files of a vocabulary in a folder: the published one, else vocab.json and merges.txt; none: empty.</summary>
    public static IReadOnlyList<string> FilesIn(string folder)
    {
        var (published, vocabulary, merges)
            = (Path.Combine(folder, PublishedName), Path.Combine(folder, VocabularyName), Path.Combine(folder, MergesName));
        return File.Exists(published) ? [published] : File.Exists(vocabulary) && File.Exists(merges) ? [vocabulary, merges] : [];
    }

    /// <exception cref="KagPromptException">There is no vocabulary, or it has not as many tokens as the text tower.</exception>
    public static BytePairTokenizer Beside(string checkpoint, TextTransformerConfig config)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(checkpoint))!;
        var files = FilesIn(folder);
        var tokenizer = files.Count switch
        {
            1 => BytePairTokenizer.FromClipVocabulary(files[0], config.ContextLength),
            2 => BytePairTokenizer.FromVocabularyAndMerges(files[0], files[1], config.ContextLength),
            _ => throw new KagPromptException($"Prompts cannot be encoded: there is no vocabulary beside '{checkpoint}'. "
                + $"Expected {PublishedName} (github.com/openai/CLIP), or {VocabularyName} and {MergesName}. "
                + "Put it there. Without a graph prompt (Epochs = 0 and no InitialModel) none is needed."),
        };
        return tokenizer.VocabularySize == config.VocabularySize ? tokenizer
            : throw new KagPromptException($"The vocabulary beside '{checkpoint}' has {tokenizer.VocabularySize} tokens, "
                + $"its text tower {config.VocabularySize}: expected the same. Fetch the vocabulary that belongs to the checkpoint.");
    }
}
