using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Reporting.Html;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>
/// A self-contained HTML page of scored images: scores and threshold, ROC curve, a table by kind of defect, and pictures with sliders
/// between image and overlay, worst first. It opens offline; its content policy forbids any request and any script but its own.
/// </summary>
/// <remarks>
/// Pure functions, thread-safe. A page has about 150 bytes for each image and, beside those, what its picture takes times 4/3.
/// </remarks>
public static class HtmlReport
{
    /// <summary>Writes the page.</summary>
    /// <param name="writer">Where to; left open.</param>
    /// <param name="page">What is on it.</param>
    public static void Write(TextWriter writer, ReportPage page)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(page);
        var worstFirst = page.Items.Order(ReportOrder.WorstFirst).ToArray();
        var classes = worstFirst.GroupBy(item => item.ClassName)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new ClassSection(group.Key, [.. group], page.Pixels))
            .ToArray();
        WriteHead(writer, page);
        writer.WriteLine(Tiles(worstFirst, classes));
        if (page.Notes.Count > 0)
        {
            writer.WriteLine($"<ul class=\"soft\">{string.Concat(page.Notes.Select(note => $"<li>{Encode(note)}</li>"))}</ul>");
        }

        for (var i = 0; i < classes.Length; i++)
        {
            writer.WriteLine(classes[i].Write(i, classes.Length));
        }

        var shown = worstFirst.Count(item => item.Picture is not null);
        if (shown > 0)
        {
            var which = shown < worstFirst.Length
                ? $"The worst {shown} of {worstFirst.Length} are shown; all are listed by name at the end."
                : $"All {shown} are shown.";
            writer.WriteLine($"<h2>Images</h2><p class=\"soft\">{which} Move a slider to uncover the image beneath its overlay.</p>");
            var legend = LegendPlot.Write(MapScale.ForCalibration(worstFirst[0].Calibration), "all", classes.Length == 1);
            writer.WriteLine($"<div class=\"bar\">{legend}<label>all: image"
                + "<input id=\"all\" type=\"range\" min=\"0\" max=\"100\" value=\"100\" autocomplete=\"off\">overlay</label></div>");
            Gallery.Write(writer, worstFirst);
        }

        writer.WriteLine(Gallery.Faults(worstFirst));
        Gallery.WriteList(writer, worstFirst);
        writer.WriteLine($"<script>{Resource("report.js")}</script></html>");
    }

    private static void WriteHead(TextWriter writer, ReportPage page)
    {
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Resource("report.js"))));
        var policy = $"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{hash}'";
        var facts = page.Facts.Select(fact => $"<div><dt>{Encode(fact.Name)}</dt><dd>{Encode(fact.Value)}</dd></div>");
        writer.WriteLine($"""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <meta http-equiv="Content-Security-Policy" content="{policy}">
            <link rel="icon" href="data:,"><title>{Encode(page.Title)}</title>
            <style>
            {Resource("report.css")}</style></head><body>
            <h1>{Encode(page.Title)}</h1><dl class="facts">{string.Concat(facts)}</dl>
            """);
    }

    /// <summary>The figures that are asked for first.</summary>
    private static string Tiles(IReadOnlyList<ReportItem> items, IReadOnlyList<ClassSection> classes)
    {
        var html = new StringBuilder("<div class=\"tiles\">");
        void Tile(string figure, string name, bool isAlert = false)
            => html.Append($"<div class=\"tile{(isAlert ? " alert" : "")}\"><b>{figure}</b><span>{name}</span></div>");
        int Count(ReportOutcome outcome) => items.Count(item => item.Outcome == outcome);
        var (missed, found) = (Count(ReportOutcome.MissedDefect), Count(ReportOutcome.FoundDefect));
        var (alarms, accepted) = (Count(ReportOutcome.FalseAlarm), Count(ReportOutcome.AcceptedGood));
        var (open, faults) = (Count(ReportOutcome.NotLabelled), Count(ReportOutcome.Unreadable));
        Tile($"{items.Count}", classes.Count > 1 ? $"images of {classes.Count} classes" : items.Count == 1 ? "image" : "images");
        if (missed + found > 0)
        {
            Tile($"{missed}", $"missed of {missed + found} defects ({Percent(missed / (double)(missed + found))})", missed > 0);
        }

        if (alarms + accepted > 0)
        {
            var share = Percent(alarms / (double)(alarms + accepted));
            Tile($"{alarms}", $"false alarms on {alarms + accepted} good parts ({share})", alarms > 0);
        }

        if (open > 0)
        {
            var rejected = items.Count(item => item.Outcome == ReportOutcome.NotLabelled && item.IsRejected);
            Tile($"{rejected}", $"rejected of {open} not labelled");
        }

        if (items.Count(item => item.IsForeign) is > 0 and var foreign)
        {
            Tile($"{foreign}", "unlike every support image", isAlert: true);
        }

        if (faults > 0)
        {
            Tile($"{faults}", "could not be scored", isAlert: true);
        }

        var mean = classes.Count > 1 ? ", mean of the classes" : "";
        var pixels = classes.Select(section => section.Pixels).OfType<PixelMetrics>().ToArray();
        foreach (var (name, value) in new[]
        {
            ("image AUROC", Estimate.Mean(classes.Select(section => section.Image.Auroc)).Value),
            ("pixel AUROC", Estimate.Mean(pixels.Select(metrics => metrics.Auroc)).Value),
            ("AUPRO", Estimate.Mean(pixels.Select(metrics => metrics.Aupro30)).Value),
        }.Where(metric => !double.IsNaN(metric.Item2)))
        {
            Tile(Encode(value), name + mean);
        }

        return html.Append("</div>").ToString();
    }

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!);
        // The policy's hash is of these very bytes; parsers read CR LF as LF.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
