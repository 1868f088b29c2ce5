namespace Microsoft.ML.KagPrompt.Documents.Tests;

/// <summary>Every block of C# on the pages compiles as printed and runs to its end.</summary>
public sealed class DocumentSnippetsTests(ReadersFolder folder) : IClassFixture<ReadersFolder>
{
    private const string GettingStarted = "docs/getting-started.md";

    /// <summary>Pages with code, but the one that has a test of its own.</summary>
    public static TheoryData<string> Pages
        => new(MarkdownPage.Names.Where(name => name != GettingStarted && SnippetProgram.FromPage(MarkdownPage.Read(name)).Count > 0));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Snippets_OfAPage_CompileAndRun(string name)
    {
        folder.Enter();
        foreach (var program in SnippetProgram.FromPage(MarkdownPage.Read(name)))
        {
            program.Run();
        }
    }

    [Fact]
    public void GettingStarted_AsPrinted_CallsTheScratchedOnesAnomalousAndSavesWhatItShows()
    {
        folder.Enter();
        var written = SnippetProgram.FromPage(MarkdownPage.Read(GettingStarted)).Select(program => program.Run()).ToArray();
        written.Should().HaveCount(2, "one program fits, another one loads");
        written[0].Should().StartWith("Threshold 0.");
        written[0].Should().MatchRegex("1.png: score 0.*, anomalous").And.MatchRegex("2.png: score 0.*, anomalous");
        written[1].Should().MatchRegex(@"^0\.\d+ anomalous");
        new FileInfo("overlay.png").Length.Should().BePositive();
        new FileInfo("part.zip").Length.Should().BePositive();
    }

    [Fact]
    public void Pages_ThatShowCode_SayWhichLanguage()
    {
        var unmarked = from name in MarkdownPage.Names
                       from block in MarkdownPage.Read(name).Blocks
                       where block.Language is not ("csharp" or "text" or "js" or "cpp" or "python") && block.Text.Contains(';') && block.Text.Contains("new ")
                       select $"{name}, line {block.Line}";
        unmarked.Should().BeEmpty("C# without its name behind the fence is not run");
    }
}
