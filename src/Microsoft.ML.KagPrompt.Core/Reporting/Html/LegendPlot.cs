using System.Text;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting.Html;

/// <summary>The scale of overlays as a drawing: colours as they lie over an image, map values and chances, and what lines and hatching mean.</summary>
internal static class LegendPlot
{
    private const int Left = 4;
    private const int Width = 300;
    private const int Stops = 16;

    /// <summary>A legend.</summary>
    /// <param name="scale">What to explain.</param>
    /// <param name="id">Of the drawing's definitions, one of its own on a page.</param>
    /// <param name="hasValues">False where classes of different scales share the legend: chances alone.</param>
    public static string Write(MapScale scale, string id, bool hasValues)
    {
        var svg = new StringBuilder($"<svg class=\"legend\" viewBox=\"0 0 680 46\" role=\"img\" aria-label=\"Legend of the overlays\"><defs><linearGradient id=\"ramp-{id}\">");
        for (var i = 0; i <= Stops; i++)
        {
            var (r, g, b) = ColorRamp.Color(i / (float)Stops);
            svg.Append($"<stop offset=\"{At(i / (double)Stops)}\" stop-color=\"{Hex((r, g, b))}\" stop-opacity=\"{At(scale.Opacity(scale.Low + (i / (float)Stops * (scale.High - scale.Low))))}\"/>");
        }

        svg.Append($"</linearGradient><pattern id=\"hatch-{id}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"8\" height=\"8\" fill=\"{Hex(MapLayer.LightStripe)}\"/><rect width=\"4\" height=\"8\" fill=\"{Hex(MapLayer.DarkStripe)}\"/></pattern></defs>");
        svg.Append($"<rect x=\"{Left}\" y=\"6\" width=\"{Width}\" height=\"16\" fill=\"#aaa\"/><rect x=\"{Left}\" y=\"6\" width=\"{Width}\" height=\"16\" fill=\"url(#ramp-{id})\"/>");
        Tick(svg, scale, scale.Low, "start", hasValues);
        Tick(svg, scale, scale.High, "end", hasValues);
        if (scale.Threshold > scale.Low && scale.Threshold < scale.High)
        {
            Tick(svg, scale, scale.Threshold, "middle", hasValues);
        }

        svg.Append($"<g transform=\"translate(330 0)\">{Line(MapLayer.ContourColor)}<text x=\"34\" y=\"18\">above threshold</text></g>");
        svg.Append($"<g transform=\"translate(458 0)\">{Line(MapLayer.TruthColor)}<text x=\"34\" y=\"18\">true defect</text></g>");
        svg.Append($"<g transform=\"translate(560 0)\"><rect y=\"6\" width=\"26\" height=\"16\" fill=\"url(#hatch-{id})\"/><text x=\"34\" y=\"18\">not inspected</text></g>");
        return svg.Append("</svg>").ToString();
    }

    private static void Tick(StringBuilder svg, MapScale scale, float value, string anchor, bool hasValues)
    {
        var (x, chance) = (Left + (Width * scale.Position(value)), scale.Chance(value));
        var text = string.Join(": ", new[] { hasValues || float.IsNaN(chance) ? Of(value) : "", float.IsNaN(chance) ? "" : Percent(Math.Round(chance, 2)) + " chance" }.Where(part => part != ""));
        svg.Append($"<line class=\"cut\" style=\"stroke-dasharray:none\" x1=\"{At(x)}\" x2=\"{At(x)}\" y1=\"4\" y2=\"27\"/><text x=\"{At(x)}\" y=\"40\" text-anchor=\"{anchor}\">{text}</text>");
    }

    /// <summary>A line in its casing, half on bright and half on dark ground.</summary>
    private static string Line((byte R, byte G, byte B) color)
        => $"<rect y=\"6\" width=\"13\" height=\"16\" fill=\"#ddd\"/><rect x=\"13\" y=\"6\" width=\"13\" height=\"16\" fill=\"#444\"/><line x1=\"0\" x2=\"26\" y1=\"14\" y2=\"14\" stroke=\"{Hex(MapLayer.CasingColor)}\" stroke-width=\"5\"/><line x1=\"0\" x2=\"26\" y1=\"14\" y2=\"14\" stroke=\"{Hex(color)}\" stroke-width=\"2\"/>";

    private static string Hex((byte R, byte G, byte B) color) => $"#{color.R:x2}{color.G:x2}{color.B:x2}";
}
