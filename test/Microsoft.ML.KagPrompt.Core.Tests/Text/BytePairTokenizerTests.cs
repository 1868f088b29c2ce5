using System.IO.Compression;
using System.Text.Json;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Tests.Text;

public class BytePairTokenizerTests
{
    private static readonly BytePairTokenizer Small = new([("a", "b"), ("ab", "c</w>")], 8);

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
            var merges = PublishedMerges();
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
        Small.Encode("abc ab").Should().Equal(514, 513, 64, 'b' - '!' + 256, 515, 0, 0, 0);
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

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Encode_RandomTexts_EqualsPlainBytePairs(bool clip)
    {
        var merges = clip ? PublishedMerges() : [.. Learnt().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        using var text = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', merges)));
        var (tokenizer, plain) = (BytePairTokenizer.FromMerges(text, 77), new PlainBytePairs(merges, 77));
        foreach (var sentence in RandomTexts.Draw(seed: 7, count: 2000))
        {
            tokenizer.Encode(sentence).Should().Equal(plain.Encode(sentence), "the text is {0}", JsonSerializer.Serialize(sentence));
        }
    }

    [Fact]
    public void Encode_HalfASurrogatePair_ReadsAsTheReplacementCharacter()
        => Small.Encode("a\ud83d b").Should().Equal(Small.Encode("a\ufffd b"));

    [Fact]
    public void Encode_FromManyThreads_GivesEachItsOwnRow()
    {
        var texts = RandomTexts.Draw(seed: 8, count: 400).ToArray();
        using var merges = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Learnt()));
        var tokenizer = BytePairTokenizer.FromMerges(merges, 77);
        var rows = texts.AsParallel().AsOrdered().WithDegreeOfParallelism(4).Select(tokenizer.Encode).ToArray();
        rows.Should().BeEquivalentTo(texts.Select(tokenizer.Encode), options => options.WithStrictOrdering());
    }

    [Fact]
    public void New_NoRoomForAToken_IsRefused()
        => FluentActions.Invoking(() => new BytePairTokenizer([], 2)).Should().Throw<ArgumentOutOfRangeException>();

    private static string[] PublishedMerges()
    {
        using var unpacked = new StreamReader(new GZipStream(File.OpenRead(SharedFiles.Weights("bpe_simple_vocab_16e6.txt.gz")), CompressionMode.Decompress));
        return unpacked.ReadToEnd().Split('\n')[1..48895];
    }

    private static string Learnt()
    {
        using var reader = new StreamReader(typeof(BytePairTokenizer).Assembly.GetManifestResourceStream("compact.merges.txt")!);
        return reader.ReadToEnd();
    }
}
