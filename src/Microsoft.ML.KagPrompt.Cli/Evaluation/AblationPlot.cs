using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>
/// A metric over an ablation's values, as an SVG picture: a line for each number of shots, a bar for the deviation over the draws, a ring
/// at the run's own value.
/// </summary>
internal static class AblationPlot
{
    private const int Width = 360, Height = 230, Left = 46, Right = 12, Top = 26, Bottom = 36;

    private static readonly string[] Colours = ["#1f5fa8", "#c4571b", "#2e8b57", "#8a4fa3", "#8c6d1f", "#4d4d4d"];

    /// <summary>Empty where nothing of the metric is known.</summary>
    /// <param name="rows">Of one ablation and data set.</param>
    /// <param name="metric">What is drawn.</param>
    /// <param name="own">The run's own configuration.</param>
    public static string Draw(IReadOnlyList<AblationSummary> rows, FewShotMetric metric, FewShotConfiguration own)
    {
        FewShotFigure Figure(AblationSummary row) => row.Summary.Figures[metric.Name];
        var points = rows.Where(row => row is { Point.Value: not null } && Figure(row).Mean is not null)
            .Select(row => new Dot(row.Summary.Shots, row.Point.Value!.Value, 100 * Figure(row).Mean!.Value,
                100 * (Figure(row).Deviation ?? 0), row.Point.Configuration == own))
            .ToArray();
        if (points.Length == 0)
        {
            return "";
        }

        var (ablation, title) = (rows[0].Ablation, metric.Title);
        var (step, low, high) = Scale(points.Min(point => point.Y - point.Deviation), points.Max(point => point.Y + point.Deviation));
        var (first, last) = (points.Min(point => point.X), points.Max(point => point.X));
        string X(double value) => Text(Left + ((Width - Left - Right) * (last > first ? (value - first) / (last - first) : 0.5)));
        string Y(double value) => Text(Height - Bottom - ((Height - Top - Bottom) * (value - low) / (high - low)));
        var name = WebUtility.HtmlEncode($"{title}, percent, over {ablation.Title}");
        var svg = new StringBuilder($"<svg width=\"{Width}\" height=\"{Height}\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" "
            + $"aria-label=\"{name}\" font-size=\"11\" font-family=\"system-ui, sans-serif\" fill=\"#444\"><title>{name}</title>");
        for (var tick = low; tick <= high + (step / 2); tick += step)
        {
            svg.Append($"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick)}\" y2=\"{Y(tick)}\" stroke=\"#e4e4e4\"/>"
                + $"<text x=\"{Left - 5}\" y=\"{Y(tick)}\" dy=\".32em\" text-anchor=\"end\">{Text(tick)}</text>");
        }

        var labels = rows.Select(row => row.Point).Where(point => point.Value is not null).Distinct().OrderBy(point => point.Value)
            .ToArray();
        foreach (var label in labels.Where((_, i) => i % ((labels.Length / 10) + 1) == 0))
        {
            svg.Append($"<text x=\"{X(label.Value!.Value)}\" y=\"{Height - Bottom + 15}\" text-anchor=\"middle\">{label.Label}</text>");
        }

        svg.Append($"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 5}\" text-anchor=\"middle\">"
            + $"{WebUtility.HtmlEncode(ablation.Title)}</text>"
            + $"<text x=\"{Left}\" y=\"12\" font-weight=\"600\">{WebUtility.HtmlEncode(title)}</text>");
        var lines = points.GroupBy(point => point.Shots).OrderBy(line => line.Key).ToArray();
        for (var i = 0; i < lines.Length; i++)
        {
            var colour = Colours[i % Colours.Length];
            svg.Append($"<text x=\"{Width - Right - (52 * (lines.Length - 1 - i))}\" y=\"12\" text-anchor=\"end\" "
                + $"fill=\"{colour}\">{lines[i].Key} shot{(lines[i].Key == 1 ? "" : "s")}</text>");
            svg.Append($"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" "
                + $"points=\"{string.Join(' ', lines[i].OrderBy(point => point.X).Select(point => $"{X(point.X)},{Y(point.Y)}"))}\"/>");
            foreach (var point in lines[i])
            {
                svg.Append($"<line x1=\"{X(point.X)}\" x2=\"{X(point.X)}\" y1=\"{Y(point.Y - point.Deviation)}\" "
                    + $"y2=\"{Y(point.Y + point.Deviation)}\" stroke=\"{colour}\" stroke-opacity=\".5\"/>"
                    + $"<circle cx=\"{X(point.X)}\" cy=\"{Y(point.Y)}\" r=\"{(point.IsOwn ? 4.5 : 3)}\" "
                    + $"fill=\"{(point.IsOwn ? "#fff" : colour)}\" stroke=\"{colour}\" stroke-width=\"1.5\"/>");
            }
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>Round ticks around the values.</summary>
    private static (double Step, double Low, double High) Scale(double least, double most)
    {
        var range = Math.Max(most - least, 0.4);
        var power = Math.Pow(10, Math.Floor(Math.Log10(range / 4)));
        var step = power * ((range / 4 / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        var low = Math.Floor(least / step) * step;
        return (step, low, Math.Max(Math.Ceiling(most / step) * step, low + step));
    }

    private static string Text(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private sealed record Dot(int Shots, double X, double Y, double Deviation, bool IsOwn);
}
