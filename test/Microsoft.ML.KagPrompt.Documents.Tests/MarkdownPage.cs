using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Documents.Tests;

/// <summary>A fenced block of a page.</summary>
/// <param name="Language">What stands behind the fence; empty: nothing.</param>
/// <param name="Text">Its lines.</param>
/// <param name="Line">Of its first line in the page, from 1.</param>
internal sealed record FencedBlock(string Language, string Text, int Line);

/// <summary>A document: its fenced blocks, and what stands outside them.</summary>
internal sealed partial class MarkdownPage
{
    private MarkdownPage(string name, IReadOnlyList<FencedBlock> blocks, string prose) => (Name, Blocks, Prose) = (name, blocks, prose);

    /// <summary>Every page that users read, by its path from the root.</summary>
    public static IEnumerable<string> Names { get; } =
    [
        "README.md", "CHANGELOG.md", "eng/Microsoft.ML.KagPrompt.Pretraining/DIARY.md",
        .. Directory.GetFiles(Path.Combine(SharedFiles.RepositoryRoot, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(SharedFiles.RepositoryRoot, path).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    /// <summary>Path from the root.</summary>
    public string Name { get; }

    public string FullPath => Path.Combine(SharedFiles.RepositoryRoot, Name);

    public IReadOnlyList<FencedBlock> Blocks { get; }

    /// <summary>The page without its fenced blocks.</summary>
    public string Prose { get; }

    /// <summary>Targets of its links, as written.</summary>
    public IEnumerable<string> Links => Link().Matches(Prose).Select(match => match.Groups[1].Value);

    /// <summary>What stands between backquotes.</summary>
    public IEnumerable<string> Code => InlineCode().Matches(Prose).Select(match => match.Groups[1].Value);

    /// <summary>What links to its headings say behind the #.</summary>
    public IEnumerable<string> Anchors => Heading().Matches(Prose).Select(match => Anchor(match.Groups[1].Value));

    /// <summary>Rows of its tables below a heading, cell by cell; all tables where no heading is given.</summary>
    public IEnumerable<string[]> Rows(string? heading = null)
    {
        var inside = heading is null;
        foreach (var line in Prose.Split('\n'))
        {
            inside = Heading().Match(line) is { Success: true } match ? heading is null || match.Groups[1].Value.Trim() == heading : inside;
            if (inside && line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal))
            {
                // A bar in a cell is written "\|".
                yield return [.. CellBorder().Split(line.Trim().Trim('|')).Select(cell => cell.Trim())];
            }
        }
    }

    public static MarkdownPage Read(string name)
    {
        var (blocks, prose, open, number) = (new List<FencedBlock>(), new StringBuilder(), (FencedBlock?)null, 0);
        foreach (var line in File.ReadAllLines(Path.Combine(SharedFiles.RepositoryRoot, name)))
        {
            number++;
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                if (open is not null)
                {
                    blocks.Add(open);
                }

                open = open is null ? new FencedBlock(line[3..].Trim(), "", number + 1) : null;
            }
            else if (open is not null)
            {
                open = open with { Text = open.Text + line + "\n" };
            }
            else
            {
                prose.Append(line).Append('\n');
            }
        }

        open.Should().BeNull($"{name}: a fence is not closed");
        return new(name, blocks, prose.ToString());
    }

    private static string Anchor(string heading)
        => string.Concat(heading.Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"^#{1,6} (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex CellBorder();
}
