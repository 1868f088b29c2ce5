using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.AspNetCore;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Documents.Tests;

/// <summary>Tables of options, exceptions and equations name what is there, and all of it.</summary>
public sealed partial class DocumentTablesTests
{
    [Fact]
    public void Options_Table_IsWhatTheOptionsAre()
    {
        var options = Properties(typeof(KagPromptOptions)).SelectMany(property => IsGroup(property.PropertyType)
            ? Properties(property.PropertyType).Select(inner => $"{property.Name}.{inner.Name}") : [property.Name]);
        FirstCells("docs/reference/options.md").Where(name => !IsOfSynthesis(name)).Should().BeEquivalentTo(options);
    }

    [Fact]
    public void Options_DefaultsInTheTable_AreTheOptions()
    {
        var defaults = new KagPromptOptions();
        var wrong = new List<string>();
        foreach (var row in MarkdownPage.Read("docs/reference/options.md").Rows())
        {
            if (SingleCode().Match(row[0]) is { Success: true } match && !IsOfSynthesis(match.Groups[1].Value)
                && Value(defaults, match.Groups[1].Value) is { } found && found != row[1].Trim('`', '"'))
            {
                wrong.Add($"{row[0]}: the table says {row[1]}, the options {found}");
            }
        }

        wrong.Should().BeEmpty();
    }

    [Fact]
    public void Synthesis_Table_NamesEveryOption()
        => FirstCells("docs/reference/options.md").Where(IsOfSynthesis)
            .Should().BeEquivalentTo(Properties(typeof(SynthesisOptions)).Select(property => property.Name));

    [Fact]
    public void Methods_Tables_NameEveryOptionAndItsDefault()
    {
        // A page is of one method; the three small scorers share one, with a table each.
        var own = InspectionMethods.Names.Skip(1).ToDictionary(method => method, method => $"docs/explanation/methods/{method}.md");
        own.Should().HaveCountGreaterThan(5);
        foreach (var (method, name) in own)
        {
            var hasPage = MarkdownPage.Names.Contains(name);
            var page = hasPage ? name : "docs/explanation/methods/scorers.md";
            var options = InspectionMethods.Default(method);
            var rows = MarkdownPage.Read(page).Rows(hasPage ? "Options" : $"Options of {method}").Skip(1).ToArray();
            rows.Select(row => row[0].Trim('`'))
                .Should().BeEquivalentTo(Properties(options.GetType()).Select(property => property.Name), method);
            rows.Where(row => Value(options, row[0].Trim('`')) is { } found && found != row[1].Trim('`')).Select(row => row[0])
                .Should().BeEmpty($"{page} has the defaults of {method}");
        }
    }

    [Fact]
    public void ExportAndHosting_Tables_NameEveryOptionAndItsDefault()
    {
        const string Deploy = "docs/how-to/deploy-without-libtorch.md";
        foreach (var (page, options) in new (string, object)[]
        {
            (Deploy, new OnnxExportOptions()), (Deploy, new OnnxInspectorOptions()), (Deploy, new KagOnnxOptions()),
            ("docs/how-to/host.md", new Hosting.KagPromptHostingOptions()),
        })
        {
            var rows = MarkdownPage.Read(page).Rows(options.GetType().Name).Skip(1).ToArray();
            rows.Select(row => row[0].Trim('`')).Should().BeEquivalentTo(Properties(options.GetType()).Select(property => property.Name), options.GetType().Name);
            rows.Where(row => Value(options, row[0].Trim('`')) is { } found && found != row[1].Trim('`')).Select(row => row[0])
                .Should().BeEmpty($"the table has the defaults of {options.GetType().Name}");
        }
    }

    [Fact]
    public void Plant_Tables_NameEveryOptionAndItsDefault()
    {
        foreach (var options in new object[] { new Orleans.PlantSiloOptions(), new Orleans.PlantClientOptions() })
        {
            var rows = MarkdownPage.Read("docs/how-to/plant.md").Rows(options.GetType().Name).Skip(1).ToArray();
            rows.Select(row => row[0].Trim('`'))
                .Should().BeEquivalentTo(Properties(options.GetType()).Select(property => property.Name), options.GetType().Name);
            rows.Where(row => Value(options, row[0].Trim('`')) is { } found && found != row[1].Trim('`')).Select(row => row[0])
                .Should().BeEmpty($"the table has the defaults of {options.GetType().Name}");
        }
    }

    [Fact]
    public void Results_Tables_NameEveryOptionAndItsDefault()
    {
        foreach (var options in new object[] { new KagPromptResultsOptions(), new KagPromptResultsApiOptions() })
        {
            var rows = MarkdownPage.Read("docs/how-to/results.md").Rows(options.GetType().Name).Skip(1).ToArray();
            rows.Select(row => row[0].Trim('`'))
                .Should().BeEquivalentTo(Properties(options.GetType()).Select(property => property.Name), options.GetType().Name);
            rows.Where(row => Value(options, row[0].Trim('`')) is { } found && found != row[1].Trim('`')).Select(row => row[0])
                .Should().BeEmpty($"the table has the defaults of {options.GetType().Name}");
        }
    }

    [Fact]
    public void Results_Exceptions_AreAllOnThePage()
    {
        var ours = typeof(KagPromptResultsOptions).Assembly.GetExportedTypes().Where(type => type.IsAssignableTo(typeof(KagPromptException)));
        MarkdownPage.Read("docs/how-to/results.md").Code.Should().Contain(ours.Select(type => type.Name));
    }

    [Fact]
    public void Exceptions_Table_NamesEveryOneOfOurs()
    {
        var ours = typeof(KagPromptException).Assembly.GetExportedTypes().Where(type => type.IsAssignableTo(typeof(KagPromptException)))
            .Select(type => type.Name);
        FirstCells("docs/reference/errors.md").Should().Contain(ours);
    }

    [Fact]
    public void Columns_Table_NamesEveryColumn()
        => FirstCells("docs/reference/columns.md").Should().BeEquivalentTo(Properties(typeof(ColumnOptions))
            .Where(property => property.PropertyType == typeof(string) && property.Name != nameof(ColumnOptions.NormalLabel))
            .Select(property => $"Columns.{property.Name}"));

    [Fact]
    public void Equations_Table_LeadsToFilesAndMembers()
    {
        var rows = MarkdownPage.Read("docs/explanation/method.md").Rows("Where each equation is").Skip(1).ToArray();
        rows.Select(row => row[0]).Should().Equal(Enumerable.Range(1, 17).Select(number => $"({number})"));
        Missing(rows.Select(row => (row[2], row[3])), "src/Microsoft.ML.KagPrompt.Core/Methods").Should().BeEmpty();
    }

    [Fact]
    public void Architecture_Walk_LeadsToFilesAndMembers()
    {
        var rows = MarkdownPage.Read("docs/explanation/architecture.md").Rows("One image, from file to score").Skip(1).ToArray();
        rows.Should().HaveCountGreaterThan(5);
        Missing(rows.Select(row => (row[1], row[2])), "").Should().BeEmpty();
    }

    [Fact]
    public void Architecture_Rooms_AreTheFoldersInTheOrderThatATestHolds()
    {
        var page = MarkdownPage.Read("docs/explanation/architecture.md");
        var rooms = page.Rows("The rooms of the core").Skip(1).Select(row => row[0].Trim('`'));
        var test = Path.Combine(SharedFiles.RepositoryRoot, "test/Microsoft.ML.KagPrompt.Core.Tests/Architecture/RoomOrderTests.cs");
        var held = RoomList().Match(File.ReadAllText(test)).Value;
        rooms.Should().Equal(Quoted().Matches(held).Select(match => match.Groups[1].Value)
            .Where(room => ((string[])["Core", "Primitives"]).Any(part
                => Directory.Exists(Path.Combine(SharedFiles.RepositoryRoot, $"src/Microsoft.ML.KagPrompt.{part}", room)))));
    }

    private static IEnumerable<string> FirstCells(string page)
        => MarkdownPage.Read(page).Rows().SelectMany(row => Code().Matches(row[0])).Select(match => match.Groups[1].Value);

    private static IEnumerable<PropertyInfo> Properties(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance);

    private static bool IsGroup(Type type)
        => type.IsClass && type.Namespace == typeof(KagPromptOptions).Namespace
            && type != typeof(KagPromptTransformer) && type != typeof(MethodOptions);

    private static bool IsOfSynthesis(string name) => typeof(SynthesisOptions).GetProperty(name) is not null;

    /// <summary>A default as the table writes it; null: of no kind that is compared.</summary>
    private static string? Value(object options, string path)
    {
        object? value = options;
        foreach (var name in path.Split('.'))
        {
            value = value?.GetType().GetProperty(name)?.GetValue(value);
        }

        return value switch
        {
            bool flag => flag ? "true" : "false",
            int number => number.ToString("#,0", CultureInfo.InvariantCulture),
            float number => number.ToString(CultureInfo.InvariantCulture),
            Enum choice => choice.ToString(),
            long number => number.ToString("#,0", CultureInfo.InvariantCulture),
            string text => text,
            TimeSpan { TotalSeconds: < 1 } span => FormattableString.Invariant($"{span.TotalMilliseconds} ms"),
            TimeSpan { TotalMinutes: < 1 } span => FormattableString.Invariant($"{span.TotalSeconds} s"),
            TimeSpan { TotalHours: < 1 } span => FormattableString.Invariant($"{span.TotalMinutes} min"),
            TimeSpan span => FormattableString.Invariant($"{span.TotalHours} h"),
            null => "null",
            _ => null,
        };
    }

    private static IEnumerable<string> Missing(IEnumerable<(string Files, string Members)> rows, string folder)
    {
        foreach (var (files, members) in rows)
        {
            var root = Path.Combine(SharedFiles.RepositoryRoot, folder);
            var paths = Code().Matches(files).Select(match => Path.Combine(root, match.Groups[1].Value)).ToArray();
            var text = string.Concat(paths.Where(File.Exists).Select(File.ReadAllText));
            foreach (var path in paths.Where(path => !File.Exists(path)))
            {
                yield return path;
            }

            foreach (Match member in Code().Matches(members))
            {
                // Where it is declared, not where it is called.
                var declared = $@"^ +(?:public|private|internal).*\b{member.Groups[1].Value}(?:<\w+>)?\(";
                if (!Regex.IsMatch(text, declared, RegexOptions.Multiline))
                {
                    yield return $"{member} in {files}";
                }
            }
        }
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("^`([^`]+)`$")]
    private static partial Regex SingleCode();

    [GeneratedRegex(@"Rooms =\s*\[[^\]]*\]")]
    private static partial Regex RoomList();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();
}
