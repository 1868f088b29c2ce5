using System.Globalization;
using Spectre.Console;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>The table on the console: drawn on a terminal, tab-separated where the output is piped.</summary>
internal static class EvaluationTable
{
    /// <param name="metrics">What is told.</param>
    /// <param name="withMethod">Whether there is a column of methods: with several.</param>
    public static IEnumerable<string> Header(IReadOnlyList<FewShotMetric> metrics, bool withMethod = false)
        => [.. withMethod ? ["method"] : (string[])[], "data set", "class", "shots", .. metrics.Select(metric => metric.Title)];

    public static IEnumerable<string> Cells(FewShotSummary row, IReadOnlyList<FewShotMetric> metrics)
        => [row.Dataset, row.Class, row.Shots.ToString(CultureInfo.InvariantCulture),
            .. metrics.Select(metric => Text(row.Figures[metric.Name]))];

    /// <summary>"97.25 ± 0.31", in percent.</summary>
    private static string Text(FewShotFigure value) => value.Mean is not { } mean ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{100 * mean:0.00}") + (value.Deviation is { } deviation
                ? string.Create(CultureInfo.InvariantCulture, $" ± {100 * deviation:0.00}")
                : "");

    /// <summary>All metrics a line where the output is piped; on a terminal, which is not as wide, one table after the other.</summary>
    public static void Write(IReadOnlyList<FewShotCell> cells)
    {
        var methods = cells.GroupBy(cell => cell.Method).ToArray();
        var rows = methods
            .SelectMany(method => FewShotSummary.Summarize([.. method]).Select(row => (Method: method.Key, Row: row))).ToArray();

        IReadOnlyList<FewShotMetric>[] tables = Console.IsOutputRedirected
            ? [[.. FewShotMetric.Ranking, .. FewShotMetric.AtThreshold]]
            : [FewShotMetric.Ranking, FewShotMetric.AtThreshold];
        foreach (var metrics in tables)
        {
            Write(
                Header(metrics, methods.Length > 1),
                rows.Select(row => methods.Length > 1 ? Cells(row.Row, metrics).Prepend(row.Method) : Cells(row.Row, metrics)));
        }
    }

    public static void Write(IEnumerable<string> header, IEnumerable<IEnumerable<string>> rows)
    {
        if (Console.IsOutputRedirected)
        {
            foreach (var row in rows.Prepend(header))
            {
                Console.WriteLine(string.Join('\t', row));
            }

            return;
        }

        var table = new Table { Border = TableBorder.Rounded };
        foreach (var title in header)
        {
            table.AddColumn(new TableColumn(Markup.Escape(title)).NoWrap());
        }

        foreach (var row in rows)
        {
            table.AddRow([.. row.Select(cell => new Markup(Markup.Escape(cell)))]);
        }

        AnsiConsole.Write(table);
    }
}
