using System.Globalization;

namespace Microsoft.ML.KagPrompt;

/// <summary>A figure of a compared method, by name.</summary>
/// <param name="Name">As in JSON: "image_auroc".</param>
/// <param name="Title">As in a table: "image AUROC %".</param>
/// <param name="Value">Its value; null where it cannot be told.</param>
public sealed record ComparisonFigure(string Name, string Title, Func<ComparedMethod, double?> Value)
{
    private const double Percent = 100;

    /// <summary>On labelled test images; of errors, less is better.</summary>
    public static IReadOnlyList<ComparisonFigure> ByLabels { get; } = Array.AsReadOnly<ComparisonFigure>(
    [
        new("image_auroc", "image AUROC %", method => method.ImageAuroc) { Factor = Percent },
        new("balanced_error", "balanced error %", method => method.BalancedError) { Factor = Percent },
        new("pixel_auroc", "pixel AUROC %", method => method.PixelAuroc) { Factor = Percent },
    ]);

    /// <summary>On left-out photographs and synthetic defects.</summary>
    public static IReadOnlyList<ComparisonFigure> LeftOut { get; } = Array.AsReadOnly<ComparisonFigure>(
    [
        new("separation", "separation %", method => method.Separation) { Factor = Percent },
        new("synthetic_defects_found", "synthetic defects found %", method => method.SyntheticDefectsFound) { Factor = Percent },
        new("distance", "distance", method => method.Distance),
    ]);

    /// <summary>What it takes.</summary>
    public static IReadOnlyList<ComparisonFigure> Costs { get; } = Array.AsReadOnly<ComparisonFigure>(
    [
        new("seconds_fit", "seconds to fit", method => method.SecondsFit),
        new("milliseconds_per_image", "ms an image", method => method.MillisecondsPerImage),
        new("megabytes", "MB", method => method.ModelBytes / 1e6),
    ]);

    private double Factor { get; init; } = 1;

    /// <summary>A method's value as it stands in a table: "97.3", a dash where it cannot be told.</summary>
    public string TextOf(ComparedMethod method)
        => Value(method) is { } value ? (Factor * value).ToString("0.0", CultureInfo.InvariantCulture) : "–";
}
