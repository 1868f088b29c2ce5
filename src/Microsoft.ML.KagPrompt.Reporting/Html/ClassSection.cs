using System.Text;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting.Html;

/// <summary>A class on the page: scores, ROC curve, table, and what its threshold rests on.</summary>
internal sealed class ClassSection
{
    private readonly IReadOnlyList<ReportItem> items;
    private readonly IReadOnlyList<ReportPixels> pixels;

    public ClassSection(string name, IReadOnlyList<ReportItem> items, IReadOnlyList<ReportPixels> pixels)
    {
        (Name, this.items, this.pixels) = (name, items, [.. pixels.Where(entry => entry.ClassName == name)]);
        Image = ImageMetrics.Compute([.. items.Select(item => item.Score)], [.. items.Select(item => item.IsAnomalous)]);
        Pixels = this.pixels.FirstOrDefault(entry => entry.DefectType is null)?.Metrics;
    }

    public string Name { get; }

    public ImageMetrics Image { get; }

    /// <summary>Of all its images; null without masks.</summary>
    public PixelMetrics? Pixels { get; }

    /// <summary>The section; of several, each can be folded.</summary>
    public string Write(int index, int of)
    {
        var body = new StringBuilder();
        body.Append($"<div class=\"charts\">{HistogramPlot.Write(items)}{RocPlot.Write(items, Image.Auroc)}</div>");
        body.Append(items.Any(item => item.Fault is null) ? DefectTable.Write(items, pixels, Image.Auroc) : "");
        body.Append(AlarmTable.Write(items));
        body.Append($"<p>{Encode(items[0].Calibration.Explanation)}</p>");
        body.Append(string.Concat((Pixels?.Warnings ?? []).Select(warning => $"<p class=\"soft\">{Encode(warning)}</p>")));
        if (of == 1)
        {
            return body.ToString();
        }

        // Values differ from class to class: each has its legend.
        body.Append(LegendPlot.Write(MapScale.ForCalibration(items[0].Calibration), $"class-{index}", hasValues: true));
        var missed = items.Count(item => item.Outcome == ReportOutcome.MissedDefect);
        var alarms = items.Count(item => item.Outcome == ReportOutcome.FalseAlarm);
        var figures = $"{items.Count} images, {missed} missed, {alarms} false alarms, image AUROC {Encode(Image.Auroc.Value)}";
        return $"<details class=\"product\"{(of <= 3 ? " open" : "")}><summary>{Encode(Name)}"
            + $"<span>{figures}</span></summary>{body}</details>";
    }
}
