namespace Microsoft.ML.KagPrompt.Model;

/// <summary>How a class's decision threshold came about.</summary>
/// <param name="Method">What the threshold was computed from, in words.</param>
/// <param name="Threshold">Scores above it are called anomalous; NaN: nothing to compute it from.</param>
/// <param name="NormalScores">How many scores of normal images it rests on.</param>
/// <param name="AnomalousScores">How many scores of labelled or synthetic defects it rests on.</param>
public sealed record ThresholdCalibration(string Method, float Threshold, int NormalScores, int AnomalousScores)
{
    /// <summary>Method of a threshold the user set.</summary>
    internal const string SetByUser = "set by the user";
}
