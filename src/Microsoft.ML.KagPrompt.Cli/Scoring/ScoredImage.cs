using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>One image through a model.</summary>
/// <param name="Image">The file.</param>
/// <param name="Score">Higher is more anomalous; NaN with a fault.</param>
/// <param name="IsAnomalous">The model's verdict: the score exceeds the threshold, or the image is foreign.</param>
/// <param name="Probability">Chance of a defect, 0.5 at the threshold.</param>
/// <param name="Map">Values row by row, Height × Width, NaN where not inspected; empty with a fault.</param>
/// <param name="Width">Columns of the map.</param>
/// <param name="Height">Rows of the map.</param>
/// <param name="Calibration">Of the image's class.</param>
/// <param name="Fault">Why it could not be scored; null: it was.</param>
internal sealed record ScoredImage(DatasetImage Image, float Score, bool IsAnomalous, float Probability, float[] Map, int Width, int Height,
    ThresholdCalibration Calibration, string? Fault)
{
    /// <summary>Whether there is a score but nothing to decide by.</summary>
    public bool IsUndecided => Fault is null && !IsForeign && float.IsNaN(Calibration.Threshold);

    /// <summary>Whether it is unlike every support image: anomalous whatever its score.</summary>
    public bool IsForeign { get; init; }

    /// <summary>How much of the support images it lacks; NaN where it was not measured.</summary>
    public float Unlikeness { get; init; } = float.NaN;

    /// <summary>Why it is anomalous, in words; null where it is not.</summary>
    public string? Reason { get; init; }

    /// <summary>Columns and rows of the image itself, the right way up; 0 with a fault.</summary>
    public (int Width, int Height) Size { get; init; }
}
