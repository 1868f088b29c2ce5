namespace ScoringService;

/// <summary>
/// The answer to POST /score. Null: cannot be told. A foreign image is unlike every support image: anomalous, whatever its score.
/// </summary>
internal sealed record Verdict(float Score, float? Probability, bool IsAnomalous, float? Threshold, bool IsForeign);
