using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Documents.Tests;

/// <summary>Commands on the pages are ones the tool and the build program know.</summary>
public sealed partial class DocumentCommandsTests
{
    private static readonly Lazy<IReadOnlyDictionary<string, string>> Helps =
        new(() => Verbs(Help()).AsParallel().ToDictionary(verb => verb, verb => Help(verb)));

    // Of other programs, named in prose.
    private static readonly string[] OthersOptions = ["--add-source"];

    [Fact]
    public void Tool_VerbsAndOptionsOnThePages_AreInItsHelp()
    {
        var wrong = new List<string>();
        foreach (var (page, line) in Lines().Where(found => ToolCommand().IsMatch(found.Line)))
        {
            var match = ToolCommand().Match(line);
            var (verb, rest) = (match.Groups[1].Value, match.Groups[2].Value);
            if (!Helps.Value.TryGetValue(verb, out var help))
            {
                wrong.Add($"{page}: no verb '{verb}' in '{line}'");
                continue;
            }

            wrong.AddRange(Names(rest).Where(option => !Names(help).Contains(option) && option is not ("--help" or "--debug"))
                .Select(option => $"{page}: no option {option} in '{line}'"));
        }

        wrong.Should().BeEmpty();
        Lines().Count(found => ToolCommand().IsMatch(found.Line)).Should().BeGreaterThan(15, "or nothing was looked at");
    }

    [Fact]
    public void Tool_OptionsInProse_AreInItsHelp()
    {
        var known = Helps.Value.Values.SelectMany(Names).Concat(OthersOptions).Append("--help").Append("--debug").ToHashSet();
        var wrong = from name in MarkdownPage.Names
                    where name.StartsWith("docs/", StringComparison.Ordinal)
                    from code in MarkdownPage.Read(name).Code
                    where code.StartsWith("--", StringComparison.Ordinal)
                    from Match option in Option().Matches(code)
                    where !known.Contains(option.Value)
                    select $"{name}: {code}";
        wrong.Should().BeEmpty();
    }

    [Fact]
    public void CommandLine_Page_NamesEveryVerb()
        => MarkdownPage.Read("docs/how-to/command-line.md").Code.Select(code => code.Split(' ')[0]).Should().Contain(Helps.Value.Keys);

    [Fact]
    public void BuildProgram_VerbsOnThePages_AreInItsUsage()
    {
        var usage = File.ReadAllText(Path.Combine(SharedFiles.RepositoryRoot, "eng", "build", "build.cs"));
        var known = BuildCommand().Matches(usage).Select(match => match.Groups[1].Value).ToHashSet();
        known.Should().Contain("demo");
        var named = Lines().SelectMany(found => BuildCommand().Matches(found.Line)).Select(match => match.Groups[1].Value).ToHashSet();
        named.Should().Contain("test").And.BeSubsetOf(known);
    }

    /// <summary>Lines of fenced blocks that are no C#, and code in prose.</summary>
    private static IEnumerable<(string Page, string Line)> Lines()
        => from name in MarkdownPage.Names
           where name != "CHANGELOG.md"
           let page = MarkdownPage.Read(name)
           let fenced = page.Blocks.Where(block => block.Language != "csharp").SelectMany(block => block.Text.Split('\n'))
           from line in fenced.Concat(page.Code)
           select (name, line.Trim());

    private static IEnumerable<string> Names(string help) => Option().Matches(help).Select(match => match.Value);

    private static IEnumerable<string> Verbs(string help)
        => HelpVerb().Matches(help[help.IndexOf("Commands:", StringComparison.Ordinal)..]).Select(match => match.Groups[1].Value);

    private static string Help(params string[] verb)
    {
        // Where it was built beside these tests: the same configuration and framework.
        var built = new DirectoryInfo(AppContext.BaseDirectory);
        var tool = Path.Combine(SharedFiles.RepositoryRoot, "src", "Microsoft.ML.KagPrompt.Cli");
        var program = Path.Combine(tool, "bin", built.Parent!.Name, built.Name, "kagprompt.dll");
        var start = new ProcessStartInfo("dotnet", ["exec", program, .. verb, "--help"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(0);
        return text;
    }

    [GeneratedRegex(@"^(?:.*\| )?kagprompt ([a-z][a-z-]*)(.*)$")]
    private static partial Regex ToolCommand();

    [GeneratedRegex(@"(?<![\w-])--[a-z][a-z-]*")]
    private static partial Regex Option();

    [GeneratedRegex(@"^  ([\w-]+)", RegexOptions.Multiline)]
    private static partial Regex HelpVerb();

    [GeneratedRegex(@"\./build\.(?:sh|ps1) (\w+)")]
    private static partial Regex BuildCommand();
}
