using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// What one method made of the photographs. Of several products the figures are means over them; null is what cannot be told.
/// </summary>
public sealed record ComparedMethod
{
    /// <summary>Its name, of <c>InspectionMethods</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Figures of the labelled test images, a cell a product; empty where there are none.</summary>
    public required IReadOnlyList<FewShotCell> Cells { get; init; }

    /// <summary>How each product's threshold came about, with the scores it rests on.</summary>
    public required IReadOnlyDictionary<string, ThresholdCalibration> Calibrations { get; init; }

    /// <summary>Of each of <see cref="ComparisonResults.Images"/>, with the map at that image's size.</summary>
    public required IReadOnlyList<Inspection> Inspections { get; init; }

    /// <summary>
    /// Whether it learned from every photograph: those that are left out of its memory it has seen all the same, so that its figures
    /// without labels are better than new photographs' would be.
    /// </summary>
    public required bool HasSeenLeftOut { get; init; }

    /// <summary>Time of the fit, reading the photographs included.</summary>
    public required double SecondsFit { get; init; }

    /// <summary>
    /// Time of inspecting an image that is read already: the median of a few, one by one, after a first that does not count.
    /// </summary>
    public required double MillisecondsPerImage { get; init; }

    /// <summary>What the model takes as <c>KagPromptModel.Save</c> writes it.</summary>
    public required long ModelBytes { get; init; }

    /// <summary>Area under the ROC curve of the test images' scores, in 0..1.</summary>
    public double? ImageAuroc => FewShotMetric.Mean(Cells.Select(cell => cell.ImageAuroc));

    /// <summary>Mean of the shares of missed defects and of rejected good images, at the threshold that the fit placed.</summary>
    public double? BalancedError => FewShotMetric.Mean(Cells.Select(cell => cell.BalancedError));

    /// <summary>Area under the ROC curve of the test images' pixels, in 0..1.</summary>
    public double? PixelAuroc => FewShotMetric.Mean(Cells.Select(cell => cell.PixelAuroc));

    /// <summary>
    /// Share of the pairs of a synthetic defect and a good photograph, neither known to the memory, in which the defect scores higher;
    /// null with a single photograph.
    /// </summary>
    public double? Separation => FewShotMetric.Mean(Calibrations.Values.Select(LeftOutFigures.Separation));

    /// <summary>Distance between the mean scores of the two, in their standard deviations; null with fewer than two of either.</summary>
    public double? Distance => FewShotMetric.Mean(Calibrations.Values.Select(LeftOutFigures.Distance));

    /// <summary>Share of the synthetic defects that score above the threshold.</summary>
    public double? SyntheticDefectsFound => FewShotMetric.Mean(Calibrations.Values
        .Select(calibration => double.IsNaN(calibration.SyntheticDefectsFound) ? (double?)null : calibration.SyntheticDefectsFound));
}
