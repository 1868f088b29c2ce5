using System.Text.Json;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Tests.Text;

public class BytePairTokenizerTests
{
    private static readonly BytePairTokenizer Small = new([("a", "b"), ("ab", "c</w>"), ("d", "</w>x")], 8);

    [SkippableFact]
    [Trait("Category", "Golden")]
    public void Encode_ClipVocabulary_EqualsGoldenTokens()
    {
        var tokenizer = BytePairTokenizer.FromClipVocabulary(SharedFiles.Weights("bpe_simple_vocab_16e6.txt.gz"));
        tokenizer.VocabularySize.Should().Be(49408);
        using var golden = JsonDocument.Parse(File.ReadAllText(SharedFiles.Golden("clip_tokens.json")));
        foreach (var entry in golden.RootElement.EnumerateArray())
        {
            var text = entry.GetProperty("text").GetString()!;
            tokenizer.Encode(text).Should().Equal(entry.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt64()), text);
        }
    }

    [SkippableFact]
    public void FromVocabularyAndMerges_SameVocabularyInTheOtherForm_EncodesAlike()
    {
        var published = SharedFiles.Weights("bpe_simple_vocab_16e6.txt.gz");
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            using var unpacked = new StreamReader(new System.IO.Compression.GZipStream(File.OpenRead(published), System.IO.Compression.CompressionMode.Decompress));
            var merges = unpacked.ReadToEnd().Split('\n')[1..48895];
            // Ids as the other form lists them: 256 characters for bytes, the same ending words, the merges, the two marks.
            var bytes = Enumerable.Range('!', '~' - '!' + 1).Concat(Enumerable.Range('¡', '¬' - '¡' + 1)).Concat(Enumerable.Range('®', 'ÿ' - '®' + 1)).Concat(Enumerable.Range(256, 68)).Select(code => ((char)code).ToString()).ToArray();
            var tokens = bytes.Concat(bytes.Select(letter => letter + "</w>")).Concat(merges.Select(merge => merge.Replace(" ", ""))).Append("<|startoftext|>").Append("<|endoftext|>").ToArray();
            var (vocabularyPath, mergesPath) = (Path.Combine(folder.FullName, "vocab.json"), Path.Combine(folder.FullName, "merges.txt"));
            File.WriteAllText(vocabularyPath, JsonSerializer.Serialize(tokens.Select((token, id) => (token, id)).ToDictionary(entry => entry.token, entry => entry.id)));
            File.WriteAllText(mergesPath, "#version: 0.2\n" + string.Join('\n', merges) + "\n");

            var (one, other) = (BytePairTokenizer.FromClipVocabulary(published), BytePairTokenizer.FromVocabularyAndMerges(vocabularyPath, mergesPath));

            foreach (var text in (string[])["a photo of a damaged metal nut.", "Ölabstreifring № 7 🔩", "it's 3.14", ""])
            {
                other.Encode(text).Should().Equal(one.Encode(text), text);
            }

            File.WriteAllText(mergesPath, "#version: 0.2\n" + string.Join('\n', merges[..^1]) + "\n");
            FluentActions.Invoking(() => BytePairTokenizer.FromVocabularyAndMerges(vocabularyPath, mergesPath)).Should().Throw<CheckpointFormatException>().WithMessage("*does not belong to*");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Encode_KnownMerges_MergesByRank()
    {
        // Printable bytes come first: 'a' is byte 97, the 65th of '!'..'~', so id 64; word-ending ids follow 256 later; merges from 512.
        Small.Encode("abc ab").Should().Equal(515, 513, 64, 'b' - '!' + 256, 516, 0, 0, 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \t\n ")]
    [InlineData("🔩 Schraube №5 ≤ 0,3 mm — 螺丝")]
    [InlineData("<|startoftext|><|endoftext|>")]
    [InlineData("a very long text that does not fit into eight tokens by any means whatsoever")]
    public void Encode_AnyText_GivesAFullRowWithOneEnd(string text)
    {
        var row = Small.Encode(text);
        row.Should().HaveCount(8);
        row[0].Should().Be(Small.VocabularySize - 2);
        row.Count(id => id == Small.VocabularySize - 1).Should().Be(1);
        row.Should().OnlyContain(id => id >= 0 && id < Small.VocabularySize);
    }

    [Fact]
    public void FromMerges_BrokenLine_NamesTheLine()
    {
        using var text = new MemoryStream("a b\nbroken\n"u8.ToArray());
        FluentActions.Invoking(() => BytePairTokenizer.FromMerges(text, 8)).Should().Throw<CheckpointFormatException>().WithMessage("*line 2*broken*");
    }
}
