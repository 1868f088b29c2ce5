using System.Globalization;
using System.Net;
using System.Text;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>One scored image in a report.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Score">Its score.</param>
/// <param name="Threshold">The threshold it was held against.</param>
/// <param name="IsAnomalous">What is known of it; null: nothing.</param>
/// <param name="Pictures">Titles and PNG bytes, left to right.</param>
public sealed record ReportRow(string Name, float Score, float Threshold, bool? IsAnomalous, IReadOnlyList<(string Title, byte[] Png)> Pictures);

/// <summary>A self-contained HTML page of scored images: opens offline, asks for nothing from elsewhere.</summary>
public static class HtmlReport
{
    private const int Bins = 24;

    /// <summary>Writes the page, highest scores first.</summary>
    /// <param name="writer">Where to; left open.</param>
    /// <param name="title">Its heading.</param>
    /// <param name="figures">Named figures for the head of the page.</param>
    /// <param name="rows">The images.</param>
    public static void Write(TextWriter writer, string title, IReadOnlyList<(string Name, string Value)> figures, IReadOnlyList<ReportRow> rows)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(figures);
        ArgumentNullException.ThrowIfNull(rows);
        writer.WriteLine($"""
            <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{Text(title)}</title>
            <style>
            body {"{"} font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; color: #222; background: #fff {"}"}
            table {"{"} border-collapse: collapse {"}"} td, th {"{"} padding: .3em 1em .3em 0; text-align: left {"}"}
            article {"{"} border-top: 1px solid #ddd; padding: .8em 0 {"}"} figure {"{"} display: inline-block; margin: 0 .6em 0 0 {"}"} figcaption {"{"} color: #666; font-size: 13px {"}"}
            img {"{"} width: 200px; display: block {"}"} b.bad {"{"} color: #b3261e {"}"} b.ok {"{"} color: #1b7f3b {"}"} .wrong {"{"} background: #fff3e0 {"}"}
            </style>
            <h1>{Text(title)}</h1>
            """);
        writer.WriteLine("<table>" + string.Concat(figures.Select(figure => $"<tr><th>{Text(figure.Name)}</th><td>{Text(figure.Value)}</td></tr>")) + "</table>");
        writer.WriteLine(Histogram(rows));
        foreach (var row in rows.OrderByDescending(row => row.Score))
        {
            var rejected = row.Score > row.Threshold;
            var truth = row.IsAnomalous switch { true => "defective", false => "good", null => "not labelled" };
            var wrong = row.IsAnomalous is { } known && known != rejected;
            writer.WriteLine($"<article{(wrong ? " class=\"wrong\"" : "")}><p><b class=\"{(rejected ? "bad" : "ok")}\">{(rejected ? "anomalous" : "normal")}</b> "
                + $"{Number(row.Score)} (threshold {Number(row.Threshold)}), {truth}{(wrong ? ", <b>wrong</b>" : "")}: {Text(row.Name)}</p>"
                + string.Concat(row.Pictures.Select(picture => $"<figure><img alt=\"{Text(picture.Title)}\" src=\"data:image/png;base64,{Convert.ToBase64String(picture.Png)}\"><figcaption>{Text(picture.Title)}</figcaption></figure>"))
                + "</article>");
        }

        writer.WriteLine("</html>");
    }

    /// <summary>Scores of good and defective images as bars, the threshold as a line.</summary>
    private static string Histogram(IReadOnlyList<ReportRow> rows)
    {
        var finite = rows.Where(row => float.IsFinite(row.Score)).ToArray();
        if (finite.Length < 2)
        {
            return "";
        }

        var (low, high) = (finite.Min(row => row.Score), finite.Max(row => row.Score));
        var span = Math.Max(high - low, 1e-9f);
        int Bin(float score) => Math.Clamp((int)((score - low) / span * Bins), 0, Bins - 1);
        var bars = finite.GroupBy(row => (Bin: Bin(row.Score), Bad: row.IsAnomalous == true)).ToDictionary(group => group.Key, group => group.Count());
        var tallest = Enumerable.Range(0, Bins).Max(bin => bars.GetValueOrDefault((bin, false)) + bars.GetValueOrDefault((bin, true)));
        var svg = new StringBuilder("<svg viewBox=\"0 0 720 140\" role=\"img\" aria-label=\"Histogram of scores\" style=\"width:100%\">");
        for (var bin = 0; bin < Bins; bin++)
        {
            var floor = 120.0;
            foreach (var (bad, colour) in new[] { (false, "#4a90a4"), (true, "#d0605e") })
            {
                var height = 110.0 * bars.GetValueOrDefault((bin, bad)) / tallest;
                floor -= height;
                svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{bin * 30 + 1}\" y=\"{floor:0.0}\" width=\"28\" height=\"{height:0.0}\" fill=\"{colour}\"/>");
            }
        }

        var threshold = finite[0].Threshold;
        if (float.IsFinite(threshold) && threshold >= low && threshold <= high)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{(threshold - low) / span * 720:0.0}\" x2=\"{(threshold - low) / span * 720:0.0}\" y1=\"0\" y2=\"120\" stroke=\"#222\" stroke-dasharray=\"4\"/>");
        }

        return svg.Append(CultureInfo.InvariantCulture, $"<text x=\"0\" y=\"136\" font-size=\"13\">{low:0.000}</text><text x=\"720\" y=\"136\" font-size=\"13\" text-anchor=\"end\">{high:0.000}</text></svg>").ToString()
            + "<p>Blue: good or not labelled. Red: defective. Dashed: the threshold.</p>";
    }

    private static string Number(float value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
