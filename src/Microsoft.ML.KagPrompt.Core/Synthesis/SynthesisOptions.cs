using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Synthesis;

namespace Microsoft.ML.KagPrompt;

/// <summary>How synthetic defects are drawn for one product (NSA, Schlüter et al. 2022).</summary>
/// <remarks>Immutable. Sides are shares of the image's side, changes are in grey levels (0 to 255).</remarks>
public sealed record SynthesisOptions
{
    /// <summary>Least height of a patch, as a share of the image's height; 0.03 by default.</summary>
    public double MinHeight { get; init; } = 0.03;

    /// <summary>Greatest height of a patch, as a share of the image's height; 0.4 by default.</summary>
    public double MaxHeight { get; init; } = 0.4;

    /// <summary>Least width of a patch, as a share of the image's width; 0.03 by default.</summary>
    public double MinWidth { get; init; } = 0.03;

    /// <summary>Greatest width of a patch, as a share of the image's width; 0.4 by default.</summary>
    public double MaxWidth { get; init; } = 0.4;

    /// <summary>Least factor a patch is resized by; 0.5 by default.</summary>
    public double MinScale { get; init; } = 0.5;

    /// <summary>Greatest factor a patch is resized by; 2 by default.</summary>
    public double MaxScale { get; init; } = 2;

    /// <summary>Steepness k of the label's logistic curve, per grey level of change; 1/12 by default.</summary>
    public double LogisticSteepness { get; init; } = 1.0 / 12;

    /// <summary>Midpoint x0 of the label's logistic curve: the change in grey levels that is labelled 0.5; 24 by default.</summary>
    public double LogisticMidpoint { get; init; } = 24;

    /// <summary>Grey level of a plain background. Null, the default: the product fills the picture, patches go anywhere.</summary>
    public double? Background { get; init; }

    /// <summary>How far from <see cref="Background"/> a pixel must lie to belong to the object.</summary>
    public double BackgroundThreshold { get; init; } = 20;

    /// <summary>Share of the cut rectangle the object must exceed where a background is given; 0 by default.</summary>
    public double MinObjectShare { get; init; }

    /// <summary>Share of the cut object that must fall on the destination's object where a background is given; ¼ by default.</summary>
    public double MinOverlap { get; init; } = 0.25;

    /// <summary>Most patches an image gets: the first always, each further one with probability ½; 2 by default.</summary>
    public int MaxPatches { get; init; } = 2;

    /// <summary>Tries to find a rectangle, and again to find its place, before the patch is given up; 200 by default.</summary>
    public int PlacementTries { get; init; } = 200;

    /// <summary>Soft labels above this belong to the mask; 0.3 by default.</summary>
    public float LabelThreshold { get; init; } = 0.3f;

    /// <summary>Draws of an image at most, until one keeps a label; 10 by default.</summary>
    public int MaxDraws { get; init; } = 10;

    /// <summary>
    /// The parameters NSA's authors chose for the fifteen products of MVTec AD, by their names there ("metal_nut"). Case does not matter.
    /// </summary>
    public static IReadOnlyDictionary<string, SynthesisOptions> MvtecAd => NsaClassTable.Classes;

    /// <summary>NSA's defaults with a label curve fitted to a product's contrast.</summary>
    /// <param name="normals">Normal images, resized as they will be used; a few dozen suffice.</param>
    /// <exception cref="ArgumentException">There is no image.</exception>
    public static SynthesisOptions FitTo(IReadOnlyList<PixelBuffer> normals) => FitTo(normals, null);

    private static SynthesisOptions FitTo(IReadOnlyList<PixelBuffer> normals, SquareRegion? region)
    {
        ArgumentNullException.ThrowIfNull(normals);
        return normals.Count > 0 ? ContrastCalibration.Fit(new SynthesisOptions(), normals, region?.Inside)
            : throw new ArgumentException("normals: expected at least one normal image, got none.", nameof(normals));
    }

    /// <summary>
    /// A product's own options where there are any, without a background that does not show it;
    /// else those fitted to it, to what of it is inspected.
    /// </summary>
    internal static SynthesisOptions For(
        string className, IReadOnlyDictionary<string, SynthesisOptions> own,
        IReadOnlyList<PixelBuffer> normals, SquareRegion? region = null)
        => !own.TryGetValue(className, out var known) ? FitTo(normals, region)
            : known.Background is { } background && !ObjectMask.Shows(normals, background, known.BackgroundThreshold)
                ? known with { Background = null }
            : known;

    /// <summary>Throws one <see cref="ArgumentException"/> that names every value out of range.</summary>
    public void Validate()
    {
        var faults = new OptionFaults();
        CollectFaults(faults, "");
        faults.ThrowIfAny(nameof(SynthesisOptions));
    }

    internal void CollectFaults(OptionFaults faults, string prefix) => faults
        .Require(
            MinHeight > 0 && MinHeight <= MaxHeight && MaxHeight <= 0.9,
            prefix + nameof(MinHeight),
            $"above 0, at most {nameof(MaxHeight)}, itself at most 0.9",
            FormattableString.Invariant($"{MinHeight} and {MaxHeight}"))
        .Require(
            MinWidth > 0 && MinWidth <= MaxWidth && MaxWidth <= 0.9,
            prefix + nameof(MinWidth),
            $"above 0, at most {nameof(MaxWidth)}, itself at most 0.9",
            FormattableString.Invariant($"{MinWidth} and {MaxWidth}"))
        .Require(
            MinScale > 0 && MinScale <= MaxScale && double.IsFinite(MaxScale),
            prefix + nameof(MinScale),
            $"above 0, at most {nameof(MaxScale)}, itself finite",
            FormattableString.Invariant($"{MinScale} and {MaxScale}"))
        .Require(
            LogisticSteepness > 0 && double.IsFinite(LogisticSteepness),
            prefix + nameof(LogisticSteepness),
            "a positive number",
            LogisticSteepness)
        .Require(LogisticMidpoint is >= 0 and <= 255, prefix + nameof(LogisticMidpoint), "0 to 255", LogisticMidpoint)
        .Require(Background is null or (>= 0 and <= 255), prefix + nameof(Background), "0 to 255 or null", Background)
        .Require(BackgroundThreshold is >= 0 and <= 255, prefix + nameof(BackgroundThreshold), "0 to 255", BackgroundThreshold)
        .Require(MinObjectShare is >= 0 and < 1, prefix + nameof(MinObjectShare), "0 or more, below 1", MinObjectShare)
        .Require(MinOverlap is >= 0 and < 1, prefix + nameof(MinOverlap), "0 or more, below 1", MinOverlap)
        .Require(MaxPatches is >= 1 and <= 100, prefix + nameof(MaxPatches), "1 to 100", MaxPatches)
        .Require(PlacementTries is >= 1 and <= 100_000, prefix + nameof(PlacementTries), "1 to 100000", PlacementTries)
        .Require(LabelThreshold is >= 0 and < 1, prefix + nameof(LabelThreshold), "0 or more, below 1", LabelThreshold)
        .Require(MaxDraws is >= 1 and <= 1000, prefix + nameof(MaxDraws), "1 to 1000", MaxDraws);
}
