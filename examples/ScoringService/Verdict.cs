using Microsoft.ML.KagPrompt;

namespace ScoringService;

/// <summary>
/// The answer to POST /score. Null: cannot be told. A foreign image is unlike every support image: anomalous, whatever its score.
/// </summary>
internal sealed record Verdict(float Score, float? Probability, bool IsAnomalous, float? Threshold, bool IsForeign, string? ModelVersion)
{
    // Of a foreign image the score says nothing, nor what is made of it.
    public static Verdict From(Inspection inspection) => new(inspection.Score,
        inspection.IsForeign || float.IsNaN(inspection.Probability) ? null : inspection.Probability, inspection.IsAnomalous,
        float.IsNaN(inspection.Threshold) ? null : inspection.Threshold, inspection.IsForeign, inspection.ModelVersion);
}
