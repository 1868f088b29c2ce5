namespace Microsoft.ML.KagPrompt;

/// <summary>The verdict on one image.</summary>
/// <param name="Score">s of equation (16): higher is more anomalous. Comparable between images of one model and class.</param>
/// <param name="IsAnomalous">Whether the score exceeds the class's threshold. False, too, where <paramref name="Threshold"/> is NaN: then there is no decision, which is not a pass.</param>
/// <param name="Threshold">The class's threshold; NaN where there is nothing to compute one from.</param>
/// <param name="Probability">Chance of a defect, in 0..1: 0.5 at the threshold (<see cref="ThresholdCalibration.ProbabilityOf"/>); NaN where it cannot be told.</param>
/// <param name="Map">M of equation (14), row by row, Height × Width values; NaN where the image was not inspected.</param>
/// <param name="Height">Rows of the map.</param>
/// <param name="Width">Columns of the map.</param>
public sealed record Inspection(float Score, bool IsAnomalous, float Threshold, float Probability, float[] Map, int Height, int Width);
