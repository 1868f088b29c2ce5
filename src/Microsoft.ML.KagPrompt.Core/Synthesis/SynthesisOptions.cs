using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>How synthetic defects look for one product (NSA, Schlüter et al. 2022). Sizes are shares of the image's side.</summary>
internal sealed record SynthesisOptions
{
    // Where the published default (k = 1/12, x0 = 24) puts a label of 0.3, in grey levels; k · x0 stays 2 when x0 moves.
    private const double DefaultVisibleChange = 13.8;
    private const double DefaultMidpoint = 24;

    // No camera shows a change of fewer grey levels reliably.
    private const double SmallestVisibleChange = 3;

    private static readonly Dictionary<string, SynthesisOptions> Products = new(StringComparer.OrdinalIgnoreCase)
    {
        ["bottle"] = Object(0.03, 0.4, 0.03, 0.4, 1 / 12.0, 24, 200, 60),
        ["cable"] = Object(0.05, 0.4, 0.05, 0.4, 1 / 12.0, 24),
        ["capsule"] = Object(0.03, 0.15, 0.03, 0.4, 1 / 2.0, 4, 200, 60),
        ["hazelnut"] = Object(0.03, 0.35, 0.03, 0.35, 1 / 12.0, 24, 20, 20),
        ["metal_nut"] = Object(0.03, 0.4, 0.03, 0.4, 1 / 3.0, 7, 20, 20),
        ["pill"] = Object(0.03, 0.2, 0.03, 0.4, 1 / 3.0, 7, 20, 20),
        ["screw"] = Object(0.03, 0.12, 0.03, 0.12, 1, 3, 200, 60),
        ["toothbrush"] = Object(0.03, 0.4, 0.03, 0.2, 1 / 6.0, 15, 20, 20),
        ["transistor"] = Object(0.03, 0.4, 0.03, 0.4, 1 / 6.0, 15),
        ["zipper"] = Object(0.03, 0.4, 0.03, 0.2, 1 / 6.0, 15, 200, 60),
        ["carpet"] = Texture(1 / 3.0, 7),
        ["grid"] = Texture(1 / 3.0, 7),
        ["leather"] = Texture(1 / 3.0, 7),
        ["tile"] = Texture(1 / 3.0, 7),
        ["wood"] = Texture(1 / 6.0, 15),
    };

    /// <summary>Smallest and largest height.</summary>
    public (double Low, double High) Height { get; init; } = (0.03, 0.4);

    /// <summary>Smallest and largest width.</summary>
    public (double Low, double High) Width { get; init; } = (0.03, 0.4);

    /// <summary>Smallest and largest factor a patch is resized by.</summary>
    public (double Low, double High) Resize { get; init; } = (0.5, 2);

    /// <summary>Slope k of the label's logistic, per grey level.</summary>
    public double LogisticSlope { get; init; } = 1 / 12.0;

    /// <summary>Midpoint x0 of the label's logistic, in grey levels.</summary>
    public double LogisticMidpoint { get; init; } = DefaultMidpoint;

    /// <summary>Grey level of an even background and how far an object differs from it; null where there is none.</summary>
    public (int Grey, int Threshold)? Background { get; init; }

    /// <summary>The published settings of an MVTec AD product; for any other the default, its label's midpoint scaled with the product's own contrast.</summary>
    public static SynthesisOptions For(string className, IReadOnlyList<PixelBuffer> normal)
        => Products.TryGetValue(className.Replace(' ', '_'), out var known) ? known : new SynthesisOptions().WithContrastOf(normal);

    /// <summary>
    /// Puts the label's 0.3 at a quarter of the product's contrast (median over the images of the standard deviation of grey), between
    /// 3 grey levels and the published 13.8: on a low-contrast surface a smaller change is a visible one.
    /// </summary>
    public SynthesisOptions WithContrastOf(IReadOnlyList<PixelBuffer> normal)
    {
        if (normal.Count == 0)
        {
            return this;
        }

        var contrasts = normal.Select(GreyDeviation).Order().ToArray();
        var visible = Math.Clamp(contrasts[contrasts.Length / 2] / 4, SmallestVisibleChange, DefaultVisibleChange);
        var midpoint = DefaultMidpoint * visible / DefaultVisibleChange;
        return this with { LogisticMidpoint = midpoint, LogisticSlope = 2 / midpoint };
    }

    private static double GreyDeviation(PixelBuffer image)
    {
        var (sum, squares, count) = (0.0, 0.0, image.Width * image.Height);
        for (var p = 0; p < count; p++)
        {
            var grey = Grey.Of(image.Rgb, p);
            sum += grey;
            squares += grey * grey;
        }

        var mean = sum / count;
        return Math.Sqrt(Math.Max(0, (squares / count) - (mean * mean)));
    }

    private static SynthesisOptions Object(double low1, double high1, double low2, double high2, double k, double x0, int? background = null, int threshold = 0) => new()
    {
        Height = (low1, high1), Width = (low2, high2), Resize = (0.7, 1.3), LogisticSlope = k, LogisticMidpoint = x0,
        Background = background is { } grey ? (grey, threshold) : null,
    };

    private static SynthesisOptions Texture(double k, double x0) => new() { LogisticSlope = k, LogisticMidpoint = x0 };
}
