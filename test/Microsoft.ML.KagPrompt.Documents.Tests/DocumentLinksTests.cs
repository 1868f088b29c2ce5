using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Documents.Tests;

/// <summary>Links lead to files and headings that are there, and no source names a page that is not.</summary>
public sealed partial class DocumentLinksTests
{
    public static TheoryData<string> Pages => new(MarkdownPage.Names);

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_OfAPage_LeadSomewhere(string name)
    {
        var page = MarkdownPage.Read(name);
        var broken = new List<string>();
        foreach (var link in page.Links.Where(link => !link.Contains("://")))
        {
            var (path, anchor) = link.Split('#', 2) is [var file, var heading] ? (file, heading) : (link, null);
            var target = path == "" ? page.FullPath : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page.FullPath)!, path));
            if (!Path.Exists(target))
            {
                broken.Add($"{link}: no such file");
            }
            else if (anchor is not null && !MarkdownPage.Read(target).Anchors.Contains(anchor))
            {
                broken.Add($"{link}: no such heading");
            }
        }

        broken.Should().BeEmpty();
    }

    [Fact]
    public void Index_NamesEveryPage()
    {
        var index = MarkdownPage.Read("docs/README.md").Links.Select(link => "docs/" + link);
        var pages = MarkdownPage.Names.Where(name => name.StartsWith("docs/", StringComparison.Ordinal) && name != "docs/README.md");
        pages.Should().BeSubsetOf(index);
    }

    [Fact]
    public void Sources_NamePagesThatAreThere()
    {
        string[] kinds = [".cs", ".csproj", ".props", ".targets"];
        var stale = from folder in (string[])["src", "test", "examples", "samples", "eng"]
                    let path = Path.Combine(SharedFiles.RepositoryRoot, folder)
                    from file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                    where kinds.Contains(Path.GetExtension(file)) && !BuildOutput().IsMatch(file)
                    from Match match in PagePath().Matches(File.ReadAllText(file))
                    where !File.Exists(Path.Combine(SharedFiles.RepositoryRoot, match.Value))
                    select $"{Path.GetRelativePath(SharedFiles.RepositoryRoot, file)}: {match.Value}";
        stale.Should().BeEmpty();
    }

    [GeneratedRegex(@"\bdocs/[\w/-]+\.md\b")]
    private static partial Regex PagePath();

    [GeneratedRegex(@"[\\/](bin|obj)[\\/]")]
    private static partial Regex BuildOutput();
}
