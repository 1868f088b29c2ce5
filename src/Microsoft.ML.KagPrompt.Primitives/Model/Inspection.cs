namespace Microsoft.ML.KagPrompt;

/// <summary>The verdict on one image.</summary>
/// <param name="Score">s of equation (16): higher is more anomalous. Comparable between images of one model and class.</param>
/// <param name="IsAnomalous">
/// Whether the score exceeds the class's threshold, or the image is foreign (<see cref="IsForeign"/>). True, too, where
/// <paramref name="Threshold"/> is NaN: what cannot be decided is not passed.
/// </param>
/// <param name="Threshold">The class's threshold; NaN where there is nothing to compute one from.</param>
/// <param name="Probability">Chance of a defect, in 0..1: 0.5 at the threshold (<see cref="ThresholdCalibration.ProbabilityOf"/>);
/// NaN where it cannot be told.</param>
/// <param name="Map">M of equation (14), row by row, Height × Width values; NaN where the image was not inspected.</param>
/// <param name="Height">Rows of the map.</param>
/// <param name="Width">Columns of the map.</param>
public sealed record Inspection(float Score, bool IsAnomalous, float Threshold, float Probability, float[] Map, int Height, int Width)
{
    /// <summary>What a foreign image is called, in words.</summary>
    public const string ForeignWord = "unlike every support image: not this part, or no proper picture of it";

    /// <summary>
    /// How much of the support images this one lacks: mean distance of their patches to the nearest patch of this image, 0 (all is found
    /// again) to 2. The score asks what is here and odd; this asks what is missing, so that an empty frame is not called good. NaN where it
    /// was not measured.
    /// </summary>
    public float Unlikeness { get; init; } = float.NaN;

    /// <summary>
    /// Whether <see cref="Unlikeness"/> exceeds the class's <see cref="ThresholdCalibration.UnlikenessLimit"/>. Score, map and probability
    /// then say little: they are made for pictures of the part.
    /// </summary>
    public bool IsForeign { get; init; }

    /// <summary>Which version of a model made it, where a service names versions; else null.</summary>
    public string? ModelVersion { get; init; }

    /// <summary>Why it is called anomalous, in words; null where it is not.</summary>
    public string? Reason => IsForeign ? ForeignWord
        : float.IsNaN(Threshold) ? "there is no threshold to decide by"
        : IsAnomalous ? "the score exceeds the threshold"
        : null;
}
