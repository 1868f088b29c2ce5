using System.Globalization;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>
/// A self-contained HTML page of a comparison of methods: their ranking, and the same images under every one, maps side by side.
/// It opens offline; its content policy forbids any request and any script.
/// </summary>
/// <remarks>Pure functions, thread-safe. A picture is written once, a map (some 10 kB) for each method.</remarks>
public static class ComparisonReport
{
    /// <summary>Writes the page.</summary>
    /// <param name="writer">Where to; left open.</param>
    /// <param name="title">Its heading.</param>
    /// <param name="facts">Named facts for the head of the page, such as the data's place.</param>
    /// <param name="results">What is on it.</param>
    /// <param name="encode">A picture as a JPEG or PNG file's bytes.</param>
    public static void Write(
        TextWriter writer, string title, IReadOnlyList<(string Name, string Value)> facts, ComparisonResults results,
        Func<PixelBuffer, byte[]> encode)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(encode);
        WriteHead(writer, title, facts, results, encode);
        WriteRanking(writer, results);
        if (results.Notes.Count > 0)
        {
            writer.WriteLine($"<ul class=\"soft\">{string.Concat(results.Notes.Select(note => $"<li>{Encode(note)}</li>"))}</ul>");
        }

        if (results.Refused.Count > 0)
        {
            var reasons = results.Refused.Select(method => $"<dt>{Encode(method.Name)}</dt><dd>{Encode(method.Reason)}</dd>");
            writer.WriteLine($"<h2>Not with this backbone</h2><dl>{string.Concat(reasons)}</dl>");
        }

        if (results.Images.Count > 0)
        {
            writer.WriteLine("<h2>The same images under every method</h2><p class=\"soft\">Each method has a colour scale of its own, "
                + "by the scores it expects. What lies above its threshold is outlined white in black; "
                + "where the defect truly is, blue.</p>");
        }

        for (var i = 0; i < results.Images.Count; i++)
        {
            WriteImage(writer, results, i);
        }

        writer.WriteLine("</body></html>");
    }

    private static void WriteHead(
        TextWriter writer, string title, IReadOnlyList<(string Name, string Value)> facts, ComparisonResults results,
        Func<PixelBuffer, byte[]> encode)
    {
        writer.WriteLine($$"""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <link rel="icon" href="data:,"><title>{{Encode(title)}}</title>
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 1280px; margin: 2em auto; padding: 0 1em;
              color: #1b2330; background: #fff }
            h2 { margin: 1.6em 0 .3em; font-size: 20px } h3 { margin: 1.2em 0 .4em; font-size: 15px; overflow-wrap: anywhere }
            .soft { color: #596474; max-width: 90ch } dt { font-weight: 600 } dd { margin: 0 0 .5em; overflow-wrap: anywhere }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums }
            td, th { padding: .3em .8em; text-align: right; border-bottom: 1px solid #dbe0e6 }
            td:nth-child(2), th:nth-child(2) { text-align: left }
            .row { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 14px }
            figure { margin: 0 } figcaption { font-size: 13px; color: #596474 } figcaption b { color: #1b2330 }
            .photo { background-size: 100% 100%; width: 100% } .photo img { display: block; width: 100%; height: 100% }
            """);
        for (var i = 0; i < results.Images.Count; i++)
        {
            // Once a picture, however many methods lie over it.
            var image = results.Images[i].Image;
            writer.WriteLine($".p{i} {{ aspect-ratio: {image.Width} / {image.Height}; "
                + $"background-image: url(data:{Kind(encode(image), out var data)};base64,{data}) }}");
        }

        var named = facts.Select(fact => $"<dt>{Encode(fact.Name)}</dt><dd>{Encode(fact.Value)}</dd>");
        writer.WriteLine($"</style></head><body><h1>{Encode(title)}</h1><dl>{string.Concat(named)}</dl>");
    }

    private static void WriteRanking(TextWriter writer, ComparisonResults results)
    {
        var titles = results.Figures.Select(figure => figure.Title).Prepend("method").Prepend("rank");
        writer.WriteLine($"<table><tr>{string.Concat(titles.Select(name => $"<th>{Encode(name)}</th>"))}</tr>");
        for (var i = 0; i < results.Methods.Count; i++)
        {
            var cells = results.Figures.Select(figure => figure.TextOf(results.Methods[i]))
                .Prepend(results.Methods[i].Name).Prepend((i + 1).ToString(CultureInfo.InvariantCulture));
            writer.WriteLine($"<tr>{string.Concat(cells.Select(cell => $"<td>{Encode(cell)}</td>"))}</tr>");
        }

        writer.WriteLine("</table>");
    }

    private static void WriteImage(TextWriter writer, ComparisonResults results, int i)
    {
        var shown = results.Images[i];
        writer.WriteLine($"<h3>{Encode(shown.Name)}: {Encode(shown.ClassName)}, {Encode(shown.Kind)}</h3><div class=\"row\">"
            + $"<figure><div class=\"photo p{i}\" role=\"img\" aria-label=\"{Encode(shown.Name)}\"></div>"
            + "<figcaption><b>image</b></figcaption></figure>");
        foreach (var method in results.Methods)
        {
            var result = method.Inspections[i];
            var map = HeatmapRenderer.OverlayPng(
                result.Map, result.Width, result.Height, MapScale.ForCalibration(method.Calibrations[shown.ClassName]), [.. shown.Truth]);
            var verdict = result.IsForeign ? "foreign" : result.IsAnomalous ? "called defective" : "called good";
            writer.WriteLine($"<figure><div class=\"photo p{i}\"><img alt=\"{Encode($"{method.Name}, {verdict}")}\" "
                + $"src=\"data:image/png;base64,{Convert.ToBase64String(map)}\"></div>"
                + $"<figcaption><b>{Encode(method.Name)}</b> {verdict}<br>"
                + $"score {Encode(result.Score, "0.0000")}, threshold {Encode(result.Threshold, "0.0000")}</figcaption></figure>");
        }

        writer.WriteLine("</div>");
    }

    /// <summary>The kind of an image file by its first byte, and its bytes as text.</summary>
    private static string Kind(byte[] file, out string data)
    {
        data = Convert.ToBase64String(file);
        return file is [0x89, ..] ? "image/png" : "image/jpeg";
    }
}
