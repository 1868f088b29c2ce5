using System.Globalization;
using Spectre.Console;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>Writes scores one by one in a format; a table on a terminal is drawn at the end.</summary>
internal sealed class ScoreWriter(TextWriter output, ScoreFormat format, bool withDetails, bool onTerminal)
{
    private readonly Table table = new() { Border = TableBorder.Rounded };

    private bool Draws => format == ScoreFormat.Table && onTerminal;

    public void Begin()
    {
        if (Draws)
        {
            foreach (var title in ScoreRecord.Header(withDetails))
            {
                table.AddColumn(new TableColumn(title));
            }
        }
        else if (format != ScoreFormat.Jsonl)
        {
            output.WriteLine(Line(ScoreRecord.Header(withDetails)));
        }
    }

    public void Write(ScoreRecord record)
    {
        if (Draws)
        {
            var colour = record.Error is not null ? "yellow" : record.Anomalous == true ? "red" : "green";
            table.AddRow([.. record.Cells(withDetails).Select((cell, i) =>
                new Markup(i == 2 || record.Error is not null ? $"[{colour}]{Markup.Escape(cell)}[/]" : Markup.Escape(cell)))]);
            return;
        }

        output.WriteLine(format == ScoreFormat.Jsonl ? record.ToJson() : Line(record.Cells(withDetails)));
        output.Flush();
    }

    public void End()
    {
        if (Draws)
        {
            AnsiConsole.Write(table);
        }
    }

    private string Line(IReadOnlyList<string> cells)
        => format == ScoreFormat.Csv
            ? string.Join(',', cells.Select(cell => Quoted(Inert(cell))))
            : string.Join('\t', cells.Select(cell => cell.ReplaceLineEndings(" ").Replace('\t', ' ')));

    /// <summary>
    /// Spreadsheets run cells that begin so as formulas; an apostrophe before them makes them text. Numbers stay numbers.
    /// </summary>
    private static string Inert(string cell)
        => cell is ['=' or '+' or '-' or '@' or '\t' or '\r', _, ..]
            && !double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            ? $"'{cell}"
            : cell;

    private static string Quoted(string cell)
        => cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
}
