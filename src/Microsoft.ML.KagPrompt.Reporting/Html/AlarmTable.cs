using System.Globalization;
using System.Text;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting.Html;

/// <summary>
/// What shares of false alarms buy: for each, how many defects are found at the lowest threshold that rejects no more good parts.
/// For classes with labelled images of both kinds.
/// </summary>
internal static class AlarmTable
{
    /// <summary>Shares of the good parts, in percent.</summary>
    private static readonly int[] Shares = [0, 1, 2, 5, 10];

    public static string Write(IReadOnlyList<ReportItem> items)
    {
        var scored = items.Where(item => item.Fault is null && !float.IsNaN(item.Score)).ToArray();
        // Foreign images are rejected at any threshold: as if they scored above all others.
        float[] goods = [.. scored.Where(item => item.IsAnomalous == false).Select(Level).OrderDescending()];
        float[] defects = [.. scored.Where(item => item.IsAnomalous == true).Select(Level)];
        if (goods.Length == 0 || defects.Length == 0)
        {
            return "";
        }

        var html = new StringBuilder("<div class=\"scroll\"><table class=\"alarms\"><tr><th>false alarms, at most</th>"
            + "<th>threshold</th><th colspan=\"2\">false alarms</th><th colspan=\"2\">defects found</th></tr>");
        foreach (var share in Shares)
        {
            // Scores above it are rejected: at the score of the first good part that must not be, it passes.
            // Where more are foreign than the share allows, it is at the first that is not.
            var threshold = goods.Skip((int)((long)goods.Length * share / 100)).FirstOrDefault(float.IsFinite, float.MaxValue);
            var (alarms, found) = (goods.Count(score => score > threshold), defects.Count(score => score > threshold));
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{share} %</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{(threshold < float.MaxValue ? Encode(threshold) : Unknown)}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{alarms} of {goods.Length}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{Percent((double)alarms / goods.Length)}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{found} of {defects.Length}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{Percent((double)found / defects.Length)}</td></tr>");
        }

        html.Append("</table></div><p class=\"soft\">At the lowest threshold that rejects no more than that share of these good parts; "
            + "it was found on these very images, so other parts may fare worse.");
        html.Append(scored.Any(item => item.IsForeign) ? " Images unlike every support image are rejected at any threshold." : "");
        html.Append(goods.Length < 100
            ? string.Create(
                CultureInfo.InvariantCulture, $" With {goods.Length} good part(s), one false alarm is {Percent(1.0 / goods.Length)}.")
            : "");
        return html.Append("</p>").ToString();
    }

    private static float Level(ReportItem item) => item.IsForeign ? float.PositiveInfinity : item.Score;
}
