using System.Text;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting.Html;

/// <summary>
/// Scores of a class as stacked bars by what is known of the images, with the threshold, and the scores that it rests on as ticks.
/// </summary>
internal static class HistogramPlot
{
    private const int Bins = 40;
    private const int Width = 720;
    private const int Floor = 232;
    private const int Top = 24;

    private static readonly (string Style, string Name, bool? IsAnomalous)[] Kinds =
        [("good", "good", false), ("bad", "defective", true), ("open", "not labelled", null)];

    public static string Write(IReadOnlyList<ReportItem> items)
    {
        var scored = items.Where(item => float.IsFinite(item.Score)).ToArray();
        if (scored.Length == 0)
        {
            return "";
        }

        var calibration = scored[0].Calibration;
        var rug = calibration.NormalScores.Where(float.IsFinite).ToArray();
        float[] cut = float.IsFinite(calibration.Threshold) ? [calibration.Threshold] : [];
        var shown = scored.Select(item => item.Score).Concat(rug).Concat(cut).ToArray();
        var (low, span) = ((double)shown.Min(), Math.Max(shown.Max() - shown.Min(), 1e-6));
        double X(double score) => Width * (score - low) / span;
        var counts = new int[Kinds.Length, Bins];
        foreach (var item in scored)
        {
            var bin = Math.Min((int)((item.Score - low) / span * Bins), Bins - 1);
            counts[Array.FindIndex(Kinds, kind => kind.IsAnomalous == item.IsAnomalous), bin]++;
        }

        // The threshold's name stands on its free side, the axis's on the other.
        var isRight = calibration.Threshold > low + (span * 0.7);
        var tallest = Enumerable.Range(0, Bins).Max(bin => Enumerable.Range(0, Kinds.Length).Sum(kind => counts[kind, bin]));
        var svg = new StringBuilder("<figure><h3>Scores</h3>");
        svg.Append($"<svg viewBox=\"0 0 {Width} 268\" role=\"img\" aria-label=\"Histogram of scores\">");
        svg.Append($"<line class=\"axis\" x1=\"0\" x2=\"{Width}\" y1=\"{Top}\" y2=\"{Top}\"/>");
        svg.Append($"<text x=\"{(isRight ? 0 : Width)}\" y=\"{Top - 5}\" text-anchor=\"{(isRight ? "start" : "end")}\">");
        svg.Append($"{tallest} image{(tallest == 1 ? "" : "s")}</text>");
        for (var bin = 0; bin < Bins; bin++)
        {
            var foot = (double)Floor;
            for (var kind = 0; kind < Kinds.Length; kind++)
            {
                var height = (double)(Floor - Top) * counts[kind, bin] / tallest;
                foot -= height;
                var (x, width) = (At((Width / (double)Bins * bin) + 1), At((Width / (double)Bins) - 2));
                svg.Append(height == 0
                    ? ""
                    : $"<rect class=\"{Kinds[kind].Style}\" x=\"{x}\" y=\"{At(foot)}\" width=\"{width}\" height=\"{At(height)}\"/>");
            }
        }

        svg.Append($"<line class=\"axis\" x1=\"0\" x2=\"{Width}\" y1=\"{Floor}\" y2=\"{Floor}\"/>");
        svg.Append(string.Concat(rug.Select(score => At(X(score)))
            .Select(x => $"<line class=\"rug\" x1=\"{x}\" x2=\"{x}\" y1=\"{Floor + 2}\" y2=\"{Floor + 9}\"/>")));
        svg.Append(string.Concat(Ticks(low, low + span).Select(value => (Place: At(X(value)), Text: Encode(value, "0.####")))
            .Select(tick => $"<line class=\"axis\" x1=\"{tick.Place}\" x2=\"{tick.Place}\" y1=\"{Floor}\" y2=\"{Floor + 14}\"/>"
                + $"<text x=\"{tick.Place}\" y=\"{Floor + 27}\" text-anchor=\"middle\">{tick.Text}</text>")));
        if (float.IsFinite(calibration.Threshold))
        {
            var x = X(calibration.Threshold);
            svg.Append($"<line class=\"cut\" x1=\"{At(x)}\" x2=\"{At(x)}\" y1=\"8\" y2=\"{Floor}\"/>");
            svg.Append($"<text class=\"strong\" x=\"{At(x + (isRight ? -6 : 6))}\" y=\"14\"{(isRight ? " text-anchor=\"end\"" : "")}>");
            svg.Append($"threshold {Encode(calibration.Threshold)}</text>");
        }

        var keys = Kinds.Where(kind => scored.Any(item => item.IsAnomalous == kind.IsAnomalous))
            .Select(kind => $"<span class=\"key {kind.Style}\"></span>{kind.Name}");
        var ticks = rug.Length > 0 ? ". Ticks: normal scores that the threshold rests on." : "";
        return svg.Append($"</svg><figcaption>{string.Concat(keys)}{ticks}</figcaption></figure>").ToString();
    }

    /// <summary>Four to ten round numbers between two values.</summary>
    private static IEnumerable<double> Ticks(double low, double high)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10((high - low) / 2)));
        var step = new[] { 1, 0.5, 0.2 }.Select(part => part * power).FirstOrDefault(part => (high - low) / part >= 4, 0.2 * power);
        for (var i = Math.Ceiling(low / step); i * step <= high; i++)
        {
            yield return i * step;
        }
    }
}
