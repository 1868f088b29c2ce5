using System.IO.Compression;
using System.Text;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Tests.Text;

/// <summary>Vocabularies that are damaged or made to harm.</summary>
public sealed class VocabularyFilesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-vocabulary-").FullName;

    [Theory]
    [InlineData("a b\nbroken\n", "*line 2 is not a merge*'broken'*")]
    [InlineData("#version: 0.2\na b\n\nab c d\n", "*line 4 is not a merge*'ab c d'*")]
    [InlineData("a b\r\nc \r\n", "*line 2 is not a merge*")]
    [InlineData("a b\nx yz\ny z\n", "*line 2, 'x yz'*merged on lines before*")]
    [InlineData("a </w>\n", "*line 1, 'a </w>'*merged on lines before*")]
    [InlineData("a b\na b\n", "*line 2, 'a b'*'ab' occurs twice*")]
    [InlineData("a b\nb c\nab c\na bc\n", "*line 4, 'a bc'*'abc' occurs twice*")]
    public void FromMerges_NoListOfMerges_NamesLineAndFault(string merges, string message)
    {
        using var text = new MemoryStream(Encoding.UTF8.GetBytes(merges));
        FluentActions.Invoking(() => BytePairTokenizer.FromMerges(text, 8)).Should().Throw<CheckpointFormatException>().WithMessage(message);
    }

    [Fact]
    public void FromMerges_EndlessLine_IsRefusedWithoutRepeatingIt()
    {
        using var text = new MemoryStream(Encoding.UTF8.GetBytes("a b\n" + new string('x', 5000) + " y\n"));
        FluentActions.Invoking(() => BytePairTokenizer.FromMerges(text, 8)).Should().Throw<CheckpointFormatException>().WithMessage("*line 2 has 5002 characters*at most 1000*")
            .Which.Message.Length.Should().BeLessThan(300);
    }

    [Theory]
    [InlineData(1000, "*expected more than 48894 lines*")]
    [InlineData(17 << 20, "*16777216 bytes or more is refused*")]
    public void FromClipVocabulary_FileOfAnotherSize_IsRefused(int newLines, string message)
    {
        var path = Path.Combine(folder, "bomb.gz");
        using (var packed = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            packed.Write(Enumerable.Repeat((byte)'\n', newLines).ToArray());
        }

        FluentActions.Invoking(() => BytePairTokenizer.FromClipVocabulary(path)).Should().Throw<CheckpointFormatException>().WithMessage(message);
    }

    [Fact]
    public void FromClipVocabulary_NoGzip_IsRefused()
        => FluentActions.Invoking(() => BytePairTokenizer.FromClipVocabulary(Written("a b\n"))).Should().Throw<CheckpointFormatException>().WithMessage("*not a gzip file*");

    [Theory]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"a\": \"b\"}")]
    [InlineData("{\"a\": 1")]
    public void FromVocabularyAndMerges_NoTableOfIds_IsRefused(string json)
    {
        var vocabulary = Path.Combine(folder, "vocab.json");
        File.WriteAllText(vocabulary, json);
        FluentActions.Invoking(() => BytePairTokenizer.FromVocabularyAndMerges(vocabulary, Written("a b\n"))).Should().Throw<CheckpointFormatException>().WithMessage("*vocab.json is not a vocabulary*");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Written(string text)
    {
        var path = Path.Combine(folder, "merges.txt");
        File.WriteAllText(path, text);
        return path;
    }
}
