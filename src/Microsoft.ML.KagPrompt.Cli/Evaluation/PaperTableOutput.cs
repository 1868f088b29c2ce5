using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>The paper's table on the console, as JSON and as a page that opens offline.</summary>
internal static class PaperTableOutput
{
    private const string Image = "image_auroc";
    private const string Pixel = "pixel_auroc";

    /// <summary>The table, and below it the systems that the backbone does not allow.</summary>
    public static void WriteTable(PaperTable table)
    {
        EvaluationTable.Write(
            Header(table).Prepend("system").Prepend("shots").Prepend("data set"),
            table.Rows.Select(row => Cells(table, row).Prepend(row.System.Method)
                .Prepend(row.Shots.ToString(CultureInfo.InvariantCulture)).Prepend(row.Dataset)));
        foreach (var refused in table.Impossible)
        {
            Console.WriteLine($"not computed: {refused.Name}. {refused.Reason}");
        }
    }

    /// <summary>
    /// {"source","backbone","rows":[…],"refused":[…],"footnotes":[…],"setups":[…],"notes":[…]}; shares in 0..1, null where
    /// there is none.
    /// </summary>
    public static string Json(EvaluationSettings settings, PaperTable table) => JsonSerializer.Serialize(
        new
        {
            PublishedFigures.Source,
            Backbone = settings.Options.Backbone.Name,
            settings.Protocol.Draws,
            Rows = table.Rows.Select(row => new
            {
                row.Dataset,
                row.Shots,
                row.System.Method,
                row.Published,
                Shared = Figures(row.Shared),
                Native = Figures(row.Native),
            }),
            Refused = table.Impossible.Select(refused => new { Method = refused.Name, refused.Reason }),
            Footnotes = PaperSystem.All.Where(system => system.Footnote is not null)
                .Select(system => new { system.Method, Text = system.Footnote }),
            Setups = PaperSystem.All.Select(system => new { system.Method, Text = system.Setup }),
            table.Notes,
        },
        EvaluationJson.Options);

    /// <summary>A table a data set; a system's mark leads to what of it cannot be as published.</summary>
    public static string Page(EvaluationSettings settings, IReadOnlyDictionary<string, string> native, PaperTable table)
    {
        var page = new StringBuilder($$"""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <link rel="icon" href="data:,"><title>Table 1</title>
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em;
              color: #222; background: #fff }
            table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums }
            td, th { padding: .3em 1.2em .3em 0; text-align: left; white-space: nowrap; border-bottom: 1px solid #eee }
            tr.first td { border-top: 2px solid #999 } li, p { max-width: 90ch } small { color: #666 }
            dt { font-weight: 600 } dd { margin: 0 0 .5em }
            </style></head><body>
            <h1>Few-shot systems: published and computed here</h1>
            <p><small>AUROC in percent; computed figures are means ± standard deviations over {{settings.Protocol.Draws}} draw(s) of
            the support images, averaged over a data set's products. Published figures: {{Html(PublishedFigures.Source)}}.
            "Shared" is computed on the backbone
            {{Html(settings.Options.Backbone.Name)}},
            which is another one than the published figures': they tell what a system owes to its backbone.</small></p>

            """);
        foreach (var dataset in table.Rows.GroupBy(row => row.Dataset))
        {
            page.AppendLine($"<h2>{Html(dataset.Key)}</h2><table><tr>{Titles(Header(table).Prepend("system").Prepend("shots"))}</tr>");
            foreach (var row in dataset)
            {
                var isFirst = row.System == PaperSystem.All[0];
                page.AppendLine($"<tr{(isFirst ? " class=\"first\"" : "")}><td>{row.Shots.ToString(CultureInfo.InvariantCulture)}</td>"
                    + $"<td>{Html(row.System.Title)}{Mark(row.System)}</td>"
                    + string.Concat(Cells(table, row).Select(cell => $"<td>{Html(cell)}</td>")) + "</tr>");
            }

            page.AppendLine("</table>");
        }

        Listed(page, "Not with the shared backbone", table.Impossible.Select(refused => (refused.Name, refused.Reason)));
        Listed(page, "Backbones of their own", native.Select(entry => (entry.Key, entry.Value)));
        page.AppendLine("<h2>What cannot be as published</h2><ol>"
            + string.Concat(Noted().Select(system => $"<li>{Html(system.Title)}: {Html(system.Footnote!)}</li>")) + "</ol>");
        Listed(page, "What differs from the authors' setups, also on backbones of their own",
            PaperSystem.All.Select(system => (system.Title, system.Setup)));
        if (table.Notes.Count > 0)
        {
            page.AppendLine($"<ul>{string.Concat(table.Notes.Select(note => $"<li>{Html(note)}</li>"))}</ul>");
        }

        return page.AppendLine("</body></html>").ToString();
    }

    private static IEnumerable<string> Header(PaperTable table) =>
    [
        "published image", "published pixel", "shared image", "shared pixel",
        .. table.HasNative ? ["own image", "own pixel"] : (string[])[],
    ];

    private static IEnumerable<string> Cells(PaperTable table, PaperRow row) =>
    [
        Published(row.Published?.ImageAuroc), Published(row.Published?.PixelAuroc), Cell(row.Shared, Image), Cell(row.Shared, Pixel),
        .. table.HasNative ? [Cell(row.Native, Image), Cell(row.Native, Pixel)] : (string[])[],
    ];

    private static string Published(double? share)
        => share is { } known ? (100 * known).ToString("0.0", CultureInfo.InvariantCulture) : "–";

    private static string Cell(FewShotSummary? summary, string metric) => PaperTable.Text(summary?.Figures[metric]);

    private static object? Figures(FewShotSummary? summary) => summary is null ? null
        : new { ImageAuroc = summary.Figures[Image], PixelAuroc = summary.Figures[Pixel] };

    private static PaperSystem[] Noted() => [.. PaperSystem.All.Where(system => system.Footnote is not null)];

    private static string Mark(PaperSystem system) => Array.IndexOf(Noted(), system) is >= 0 and var place
        ? string.Create(CultureInfo.InvariantCulture, $"<sup>{place + 1}</sup>") : "";

    private static void Listed(StringBuilder page, string title, IEnumerable<(string Name, string Text)> entries)
    {
        var rows = string.Concat(entries.Select(entry => $"<dt>{Html(entry.Name)}</dt><dd>{Html(entry.Text)}</dd>"));
        page.AppendLine(rows.Length == 0 ? "" : $"<h2>{title}</h2><dl>{rows}</dl>");
    }

    private static string Titles(IEnumerable<string> titles) => string.Concat(titles.Select(title => $"<th>{Html(title)}</th>"));

    private static string Html(string text) => WebUtility.HtmlEncode(text);
}
