using System.Globalization;
using Spectre.Console;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>The table on the console: drawn on a terminal, tab-separated where the output is piped.</summary>
internal static class EvaluationTable
{
    public static IEnumerable<string> Header => ["data set", "class", "shots", .. EvaluationJson.Metrics.Select(metric => metric.Title)];

    public static IEnumerable<string> Cells(SummaryRow row) => [row.Dataset, row.Class, row.Shots.ToString(CultureInfo.InvariantCulture), .. row.Metrics.Select(Text)];

    /// <summary>"97.25 ± 0.31", in percent.</summary>
    private static string Text((double? Mean, double? Deviation) value) => value.Mean is not { } mean ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{100 * mean:0.00}") + (value.Deviation is { } deviation ? string.Create(CultureInfo.InvariantCulture, $" ± {100 * deviation:0.00}") : "");

    public static void Write(IReadOnlyList<SummaryRow> rows) => Write(Header, rows.Select(Cells));

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
