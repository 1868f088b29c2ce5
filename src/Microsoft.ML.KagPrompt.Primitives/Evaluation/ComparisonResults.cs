namespace Microsoft.ML.KagPrompt;

/// <summary>What a comparison found: plain data, which holds no native memory.</summary>
public sealed record ComparisonResults
{
    /// <summary>Whether the methods are ranked by labelled test images; else by synthetic defects on left-out photographs.</summary>
    public required bool IsByLabels { get; init; }

    /// <summary>The methods that could be fitted, best first.</summary>
    public required IReadOnlyList<ComparedMethod> Methods { get; init; }

    /// <summary>The methods that the backbone does not allow.</summary>
    public required IReadOnlyList<RefusedMethod> Refused { get; init; }

    /// <summary>The images that every method's <see cref="ComparedMethod.Inspections"/> are of.</summary>
    public required IReadOnlyList<ComparedImage> Images { get; init; }

    /// <summary>What a reader of the ranking must know, in sentences.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The figures that the methods are ranked by, the first one first, and what each method costs.</summary>
    public IReadOnlyList<ComparisonFigure> Figures
        => [.. IsByLabels ? ComparisonFigure.ByLabels : ComparisonFigure.LeftOut, .. ComparisonFigure.Costs];
}

/// <summary>A method that the backbone does not allow.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Reason">What it lacks, and what would have it.</param>
public sealed record RefusedMethod(string Name, string Reason);

/// <summary>An image that is shown under every method.</summary>
/// <param name="Name">From where it is: its path within the data set.</param>
/// <param name="ClassName">Its product.</param>
/// <param name="Kind">"good", the kind of its defect, or that a synthetic one was drawn.</param>
/// <param name="Image">The picture, 384 pixels at its longer side, or fewer.</param>
/// <param name="Truth">Where the defect is, a value a pixel, row by row; empty: not known, or none.</param>
public sealed record ComparedImage(string Name, string ClassName, string Kind, PixelBuffer Image, IReadOnlyList<bool> Truth);
