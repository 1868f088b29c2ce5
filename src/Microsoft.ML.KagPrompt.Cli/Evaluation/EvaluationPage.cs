using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>The table as a self-contained page, with every draw as a dot. Opens offline, asks for nothing from elsewhere.</summary>
internal static class EvaluationPage
{
    private const int PlotWidth = 220;

    public static string Write(EvaluationSettings settings, IReadOnlyList<FewShotCell> results, IReadOnlyList<AblationSummary> ablations)
    {
        var page = new StringBuilder($$"""
            <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>Few-shot evaluation</title>
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2em auto; padding: 0 1em; color: #222;
              background: #fff }
            table { border-collapse: collapse; margin: 1em 0 }
            td, th { padding: .3em 1.2em .3em 0; text-align: left; white-space: nowrap; border-bottom: 1px solid #eee }
            tr.mean td { font-weight: 600 } dt { float: left; clear: left; width: 11em; color: #666 } dd { margin: 0 0 0 11em }
            figure { margin: 1em 0 } figure svg { margin-right: 1em } small { color: #666 }
            </style>
            <h1>Few-shot evaluation</h1>
            <dl>{{Settings(settings)}}</dl>
            <p><small>In percent: mean ± standard deviation over {{settings.Protocol.Draws}} draws of the support images.
            AUPRO up to a false positive rate of 0.3, exact.</small></p>

            """);
        var methods = results.GroupBy(cell => cell.Method).ToArray();
        foreach (var method in methods)
        {
            Title(page, methods.Length, method.Key);
            Summaries(page, [.. method], FewShotMetric.Ranking);
        }

        page.AppendLine("<h2>At the models' own thresholds</h2><p><small>Less is better. The balanced error is the mean of what is missed "
            + "and falsely rejected; the best possible one is what a threshold chosen with the labels would reach. "
            + "The Brier score tells how far the chances of a defect are off.</small></p>");
        foreach (var method in methods)
        {
            Title(page, methods.Length, method.Key);
            Summaries(page, [.. method], FewShotMetric.AtThreshold);
        }

        page.AppendLine("<h2>Every draw</h2><p><small>A dot a draw, from 50 to 100 percent; what is below lies on the left end.</small></p>"
            + $"<table><tr>{(methods.Length > 1 ? "<th>method</th>" : "")}<th>data set</th><th>class</th><th>shots</th>"
            + string.Concat(FewShotMetric.Ranking.Where(IsPlotted).Select(metric => $"<th>{Html(metric.Title)}</th>")) + "</tr>");
        foreach (var group in results.GroupBy(cell => (cell.Method, cell.Dataset, cell.Class, cell.Shots)).OrderBy(group => group.Key))
        {
            page.AppendLine($"<tr>{(methods.Length > 1 ? $"<td>{Html(group.Key.Method)}</td>" : "")}"
                + $"<td>{Html(group.Key.Dataset)}</td><td>{Html(group.Key.Class)}</td><td>{group.Key.Shots}</td>"
                + string.Concat(FewShotMetric.Ranking.Where(IsPlotted).Select(metric => $"<td>{Dots(group, metric.Value)}</td>"))
                + "</tr>");
        }

        page.AppendLine("</table>");
        foreach (var ablation in ablations.GroupBy(row => row.Ablation))
        {
            Write(page, settings, ablation.Key, [.. ablation]);
        }

        return page.AppendLine("</html>").ToString();
    }

    private static void Write(StringBuilder page, EvaluationSettings settings, Ablation ablation, IReadOnlyList<AblationSummary> rows)
    {
        var isPlotted = rows.Any(row => row.Point.Value is not null);
        page.AppendLine($"<h2>Ablation: {Html(ablation.Title)}</h2><p><small>Averaged over the products; "
            + $"everything else as above.{(isPlotted ? " A ring marks the run's own value." : "")}</small></p>");
        foreach (var dataset in rows.GroupBy(row => row.Summary.Dataset))
        {
            var plots = string.Concat(FewShotMetric.Ranking.Where(IsPlotted)
                .Select(metric => AblationPlot.Draw([.. dataset], metric, settings.Own)));
            page.AppendLine(plots.Length == 0 ? "" : $"<figure><figcaption>{Html(dataset.Key)}</figcaption>{plots}</figure>");
        }

        page.AppendLine($"<table>{Header(AblationTable.Header)}");
        foreach (var row in rows)
        {
            var mark = row.Point.Configuration == settings.Own ? " class=\"mean\"" : "";
            page.AppendLine($"<tr{mark}>{Cells(AblationTable.Cells(row))}</tr>");
        }

        page.AppendLine("</table>");
    }

    /// <summary>A heading a method, where there are several.</summary>
    private static void Title(StringBuilder page, int methods, string name)
    {
        if (methods > 1)
        {
            page.AppendLine($"<h3>{Html(name)}</h3>");
        }
    }

    private static void Summaries(StringBuilder page, IReadOnlyList<FewShotCell> results, IReadOnlyList<FewShotMetric> metrics)
    {
        page.AppendLine($"<table>{Header(EvaluationTable.Header(metrics))}");
        foreach (var row in FewShotSummary.Summarize(results))
        {
            var mark = row.Class == FewShotSummary.AllClasses ? " class=\"mean\"" : "";
            page.AppendLine($"<tr{mark}>{Cells(EvaluationTable.Cells(row, metrics))}</tr>");
        }

        page.AppendLine("</table>");
    }

    private static string Header(IEnumerable<string> titles)
        => $"<tr>{string.Concat(titles.Select(title => $"<th>{Html(title)}</th>"))}</tr>";

    private static string Cells(IEnumerable<string> cells) => string.Concat(cells.Select(cell => $"<td>{Html(cell)}</td>"));

    private static bool IsPlotted(FewShotMetric metric) => metric.Name is "image_auroc" or "pixel_auroc" or "aupro";

    private static string Settings(EvaluationSettings settings) => string.Concat(new (string, string?)[]
    {
        ("Data", string.Join(", ", settings.Data)), ("Trained on", settings.TrainOn), ("Initial model", settings.Initial),
        ("Backbone", settings.Options.Backbone.Name), ("Memory backbone", settings.Options.Backbone.MemoryName),
        ("Method", settings.Methods.Count == 1 && settings.Kag is not null ? null : string.Join(", ", settings.Methods)),
        ("Variant", settings.Kag is { } kag ? $"{kag.Prompt.Variant}" : null),
        ("Epochs", (settings.Choices.Epochs ?? settings.Kag?.Training.Epochs) is { } epochs ? $"{epochs}" : null),
        ("Heads", settings.Choices.HeadsPath), ("Decoder", settings.Choices.DecoderPath),
        ("Zero-shot", settings.Choices.ZeroShot ? "words alone score" : null),
        ("Precision", $"{settings.Options.Backbone.Precision}"),
    }.Where(entry => entry.Item2 is not null).Select(entry => $"<dt>{Html(entry.Item1)}</dt><dd>{Html(entry.Item2!)}</dd>"));

    /// <summary>Draws as dots between 50 and 100 percent.</summary>
    private static string Dots(IEnumerable<FewShotCell> cells, Func<FewShotCell, double?> metric)
    {
        static string At(double value)
            => (10 + ((PlotWidth - 20) * Math.Clamp((value - 0.5) * 2, 0, 1))).ToString("0.0", CultureInfo.InvariantCulture);
        var values = cells.Select(metric).OfType<double>().ToArray();
        var title = string.Join(", ", values.Select(value => (100 * value).ToString("0.00", CultureInfo.InvariantCulture)));
        return values.Length == 0
            ? "–"
            : $"<svg width=\"{PlotWidth}\" height=\"18\" role=\"img\" aria-label=\"{title}\"><title>{title}</title><line x1=\"10\" "
                + $"x2=\"{PlotWidth - 10}\" y1=\"9\" y2=\"9\" stroke=\"#ccc\"/>"
            + string.Concat(values.Select(value => $"<circle cx=\"{At(value)}\" cy=\"9\" r=\"4\" fill=\"#1f5fa8\" "
            + "fill-opacity=\".6\"/>")) + "</svg>";
    }

    private static string Html(string text) => WebUtility.HtmlEncode(text);
}
