using System.Text;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting.Html;

/// <summary>
/// The scale of overlays as a drawing: colours as they lie over an image, map values and chances, and what lines and hatching mean.
/// </summary>
internal static class LegendPlot
{
    private const int Left = 24;
    private const int Width = 260;
    private const int Stops = 48;

    /// <summary>A legend.</summary>
    /// <param name="scale">What to explain.</param>
    /// <param name="id">Of the drawing's definitions, one of its own on a page.</param>
    /// <param name="hasValues">False where classes of different scales share the legend: chances alone.</param>
    public static string Write(MapScale scale, string id, bool hasValues)
    {
        var height = hasValues ? 52 : 38;
        var svg = new StringBuilder("<div class=\"legend\">");
        svg.Append($"<svg width=\"{Width + (2 * Left)}\" height=\"{height}\" role=\"img\" aria-label=\"Colours of the overlays\">");
        svg.Append($"<defs><linearGradient id=\"ramp-{id}\">");
        for (var i = 0; i <= Stops; i++)
        {
            var (r, g, b) = ColorRamp.Color(i / (float)Stops);
            var opacity = scale.Opacity(scale.Low + (i / (float)Stops * (scale.High - scale.Low)));
            svg.Append($"<stop offset=\"{At(i / (double)Stops)}\" stop-color=\"{Hex((r, g, b))}\" stop-opacity=\"{At(opacity)}\"/>");
        }

        svg.Append($"</linearGradient></defs><rect x=\"{Left}\" y=\"1\" width=\"{Width}\" height=\"16\" fill=\"#aaa\"/>");
        svg.Append($"<rect x=\"{Left}\" y=\"1\" width=\"{Width}\" height=\"16\" fill=\"url(#ramp-{id})\"/>");
        foreach (var value in new[] { scale.Low, scale.Threshold, scale.High }.Where(value => value >= scale.Low && value <= scale.High))
        {
            var x = At(Left + (Width * scale.Position(value)));
            string[] texts = [ChanceOf(scale.Chance(value)), hasValues ? Encode(value) : ""];
            svg.Append($"<line class=\"tick\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"21\"/>");
            svg.Append(string.Concat(texts.Where(text => text != "")
                .Select((text, i) => $"<text x=\"{x}\" y=\"{34 + (14 * i)}\" text-anchor=\"middle\">{text}</text>")));
        }

        var what = float.IsNaN(scale.Chance(scale.High)) ? "map value"
            : hasValues ? "chance of a defect,<br>map value"
            : "chance of a defect";
        svg.Append($"</svg><span class=\"what\">{what}</span><span class=\"keys\">");
        svg.Append($"<span>{Line(MapLayer.ContourColor)}above threshold</span><span>{Line(MapLayer.TruthColor)}true defect</span>");
        svg.Append($"<span><svg width=\"26\" height=\"16\"><defs><pattern id=\"hatch-{id}\" width=\"8\" height=\"8\"");
        svg.Append(" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">");
        svg.Append($"<rect width=\"8\" height=\"8\" fill=\"{Hex(MapLayer.LightStripe)}\"/>");
        svg.Append($"<rect width=\"4\" height=\"8\" fill=\"{Hex(MapLayer.DarkStripe)}\"/></pattern></defs>");
        svg.Append($"<rect width=\"26\" height=\"16\" fill=\"url(#hatch-{id})\"/></svg>not inspected</span>");
        return svg.Append("</span></div>").ToString();
    }

    private static string ChanceOf(float chance) => float.IsNaN(chance) ? ""
        : chance < 0.01f ? "&lt; 1 %"
        : chance > 0.985f ? "&gt; 98 %"
        : Percent(Math.Round(chance, 2));

    /// <summary>A line in its casing, half on bright and half on dark ground.</summary>
    private static string Line((byte R, byte G, byte B) color)
        => "<svg width=\"26\" height=\"16\">"
            + "<rect width=\"13\" height=\"16\" fill=\"#ddd\"/><rect x=\"13\" width=\"13\" height=\"16\" fill=\"#444\"/>"
            + $"<line x2=\"26\" y1=\"8\" y2=\"8\" stroke=\"{Hex(MapLayer.CasingColor)}\" stroke-width=\"5\"/>"
            + $"<line x2=\"26\" y1=\"8\" y2=\"8\" stroke=\"{Hex(color)}\" stroke-width=\"2\"/></svg>";

    private static string Hex((byte R, byte G, byte B) color) => $"#{color.R:x2}{color.G:x2}{color.B:x2}";
}
