using System.Text;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting.Html;

/// <summary>
/// A row for each kind of image of a class: how many are rejected, how high they score, how well they and their
/// pixels are told from good ones.
/// </summary>
internal static class DefectTable
{
    public static string Write(IReadOnlyList<ReportItem> items, IReadOnlyList<ReportPixels> pixels, Estimate auroc)
    {
        var scored = items.Where(item => item.Fault is null).ToArray();
        var goods = scored.Where(item => item.IsAnomalous == false).ToArray();
        var hasPixels = pixels.Count > 0;
        var html = new StringBuilder("<div class=\"scroll\"><table><tr><th>kind</th><th>images</th><th colspan=\"2\">rejected</th>"
            + "<th>mean score</th><th>image AUROC</th>");
        html.Append(hasPixels ? "<th>pixel AUROC</th><th>AUPRO</th></tr>" : "</tr>");
        var kinds = scored.GroupBy(item => (item.IsAnomalous, item.DefectType))
            .OrderBy(kind => kind.Key.IsAnomalous is null)
            .ThenBy(kind => kind.Key.IsAnomalous)
            .ThenBy(kind => kind.Key.DefectType, StringComparer.Ordinal);
        foreach (var kind in kinds)
        {
            var name = kind.Key.IsAnomalous switch
            {
                null => "not labelled",
                _ when kind.Key.DefectType != "" => kind.Key.DefectType,
                true => "defective",
                false => "good",
            };
            var isDefect = kind.Key.IsAnomalous == true;
            var against = kind.Concat(goods).ToArray();
            var own = isDefect
                ? RocMetrics.Auroc([.. against.Select(item => item.Score)], [.. against.Select(item => item.IsAnomalous == true)])
                : double.NaN;
            var ownPixels = isDefect ? pixels.FirstOrDefault(entry => entry.DefectType == kind.Key.DefectType) : null;
            Row(html, "", name, [.. kind], own, hasPixels, ownPixels);
        }

        Row(html, " class=\"total\"", "all", scored, auroc.Value, hasPixels, pixels.FirstOrDefault(entry => entry.DefectType is null));
        html.Append("</table></div><p class=\"soft\">Image AUROC: each kind against the good images.");
        html.Append(hasPixels
            ? " Pixel AUROC and AUPRO (up to a false positive rate of 0.3): over the images of the kind; "
                + "in the last row over all images with a mask, and the good ones."
            : "");
        return html.Append("</p>").ToString();
    }

    private static void Row(
        StringBuilder html, string style, string name, IReadOnlyList<ReportItem> items,
        double auroc, bool hasPixels, ReportPixels? pixels)
    {
        var rejected = items.Count(item => item.IsRejected);
        html.Append($"<tr{style}><td>{Encode(name)}</td><td>{items.Count}</td><td>{rejected}</td>");
        html.Append($"<td>{Percent((double)rejected / items.Count)}</td>");
        html.Append($"<td>{Encode(items.Average(item => item.Score))}</td><td>{Encode(auroc)}</td>");
        html.Append(hasPixels
            ? $"<td>{Encode(pixels?.Metrics.Auroc.Value ?? double.NaN)}</td>"
                + $"<td>{Encode(pixels?.Metrics.Aupro30.Value ?? double.NaN)}</td></tr>"
            : "</tr>");
    }
}
