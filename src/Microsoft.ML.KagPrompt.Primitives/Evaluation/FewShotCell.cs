namespace Microsoft.ML.KagPrompt;

/// <summary>Figures of one product with one draw of support images. Shares and metrics lie in 0..1; null is what cannot be told.</summary>
public sealed record FewShotCell
{
    /// <summary>The method of cells that name none.</summary>
    internal const string DefaultMethod = "kag";

    /// <summary>The data set's name.</summary>
    public required string Dataset { get; init; }

    /// <summary>The method, by its name of <c>InspectionMethods</c>.</summary>
    public string Method { get; init; } = DefaultMethod;

    /// <summary>The product.</summary>
    public required string Class { get; init; }

    /// <summary>Number k of support images.</summary>
    public required int Shots { get; init; }

    /// <summary>The draw, from 0, which is also the seed of the fit.</summary>
    public required int Seed { get; init; }

    /// <summary>Area under the ROC curve of image scores.</summary>
    public double? ImageAuroc { get; init; }

    /// <summary>Average precision of image scores.</summary>
    public double? ImageAp { get; init; }

    /// <summary>Largest F1 of image scores over all thresholds.</summary>
    public double? ImageF1Max { get; init; }

    /// <summary>Area under the ROC curve of pixels.</summary>
    public double? PixelAuroc { get; init; }

    /// <summary>Average precision of pixels.</summary>
    public double? PixelAp { get; init; }

    /// <summary>Per-region overlap, exact, up to a false positive rate of 0.3.</summary>
    public double? Aupro { get; init; }

    /// <summary>The same in the published code's form.</summary>
    public double? AuproStepped { get; init; }

    /// <summary>
    /// Share of the anomalous images that the model's own threshold passes (<see cref="Inspection.IsAnomalous"/>).
    /// Null, as the next two, where the model has no threshold, for ablations, and without such images.
    /// </summary>
    public double? MissRate { get; init; }

    /// <summary>Share of the normal images that it rejects.</summary>
    public double? FalseRejectRate { get; init; }

    /// <summary>The mean of the two.</summary>
    public double? BalancedError { get; init; }

    /// <summary>
    /// The least that <see cref="BalancedError"/> could be with any other threshold, chosen with the labels in hand:
    /// what is lost beyond it is the threshold's fault, not the scores'.
    /// </summary>
    public double? BalancedErrorBest { get; init; }

    /// <summary>
    /// Mean square of what <see cref="Inspection.Probability"/> is off the truth (1: anomalous, 0: normal);
    /// 0 is best, and 0.25 is what a constant one half gives.
    /// </summary>
    public double? Brier { get; init; }

    /// <summary>
    /// Time of fitting or adapting to the support images; of the first cell that uses a prompt, its training too.
    /// Null for ablations, as is the next.
    /// </summary>
    public double? SecondsFit { get; init; }

    /// <summary>Time of reading and inspecting an image, on average.</summary>
    public double? SecondsPerImage { get; init; }
}
