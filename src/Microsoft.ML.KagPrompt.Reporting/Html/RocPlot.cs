using System.Text;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting.Html;

/// <summary>
/// Share of defects found against share of good parts rejected, over all thresholds, with the point of the threshold in use.
/// </summary>
internal static class RocPlot
{
    private const int Side = 250;
    private const int Left = 42;
    private const int Top = 8;

    /// <summary>Nothing without both good and defective images.</summary>
    public static string Write(IReadOnlyList<ReportItem> items, Estimate auroc)
    {
        var points = Points(items);
        if (points.Count == 0)
        {
            return "";
        }

        static string Point((double Wrong, double Found) point)
            => $"{At(Left + (Side * point.Wrong))},{At(Top + (Side * (1 - point.Found)))}";
        var (wrong, found) = Shares(items, item => item.IsRejected);
        var svg = new StringBuilder($"<figure><h3>ROC curve, AUROC {Encode(auroc.Value)}</h3>");
        svg.Append($"<svg viewBox=\"0 0 {Left + Side + 8} {Top + Side + 34}\" role=\"img\" aria-label=\"ROC curve\">");
        svg.Append($"<rect class=\"axis\" x=\"{Left}\" y=\"{Top}\" width=\"{Side}\" height=\"{Side}\"/>");
        svg.Append($"<line class=\"axis\" x1=\"{Left}\" y1=\"{Top + Side}\" x2=\"{Left + Side}\" y2=\"{Top}\"/>");
        svg.Append($"<polyline class=\"curve\" points=\"{string.Join(' ', points.Select(Point))}\"/>");
        svg.Append($"<circle class=\"point\" r=\"6\" cx=\"{At(Left + (Side * wrong))}\" cy=\"{At(Top + (Side * (1 - found)))}\"/>");
        svg.Append($"<text x=\"{Left - 6}\" y=\"{Top + 9}\" text-anchor=\"end\">1</text>");
        svg.Append($"<text x=\"{Left - 6}\" y=\"{Top + Side}\" text-anchor=\"end\">0</text>");
        svg.Append($"<text x=\"{Left}\" y=\"{Top + Side + 15}\">0</text>");
        svg.Append($"<text x=\"{Left + Side}\" y=\"{Top + Side + 15}\" text-anchor=\"end\">1</text>");
        svg.Append($"<text x=\"{Left + (Side / 2)}\" y=\"{Top + Side + 28}\" text-anchor=\"middle\">good parts rejected</text>");
        svg.Append($"<text transform=\"translate(14 {Top + (Side / 2)}) rotate(-90)\" text-anchor=\"middle\">defects found</text></svg>");
        var interval = double.IsNaN(auroc.Low) ? "" : $"95 % interval {Encode(auroc.Low)} to {Encode(auroc.High)}. ";
        svg.Append($"<figcaption>{interval}Dot: the verdicts at the threshold in use, ");
        return svg.Append($"{Percent(found)} found and {Percent(wrong)} rejected.</figcaption></figure>").ToString();
    }

    /// <summary>Corners of the curve from (0, 0) to (1, 1); images of one score come together, so that ties make a slope.</summary>
    private static List<(double Wrong, double Found)> Points(IReadOnlyList<ReportItem> items)
    {
        var labelled = items.Where(item => item.IsAnomalous is not null && !float.IsNaN(item.Score)).ToArray();
        var defects = (double)labelled.Count(item => item.IsAnomalous == true);
        var goods = (double)labelled.Count(item => item.IsAnomalous == false);
        if (defects == 0 || goods == 0)
        {
            return [];
        }

        var (points, found, wrong) = (new List<(double, double)> { (0, 0) }, 0, 0);
        foreach (var level in labelled.GroupBy(item => item.Score).OrderByDescending(level => level.Key))
        {
            found += level.Count(item => item.IsAnomalous == true);
            wrong += level.Count(item => item.IsAnomalous == false);
            points.Add((wrong / goods, found / defects));
        }

        return points;
    }

    private static (double Wrong, double Found) Shares(IReadOnlyList<ReportItem> items, Func<ReportItem, bool> isRejected)
    {
        double Share(bool isAnomalous) => items
            .Where(item => item.IsAnomalous == isAnomalous && !float.IsNaN(item.Score))
            .Average(item => isRejected(item) ? 1.0 : 0);
        return (Share(false), Share(true));
    }
}
