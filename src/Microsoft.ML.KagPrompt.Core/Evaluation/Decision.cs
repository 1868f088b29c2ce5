namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>What a model decided of one labelled image, without its map.</summary>
internal readonly record struct Decision(float Score, bool IsCalled, bool IsForeign, float Threshold, float Probability, bool IsAnomalous)
{
    public static Decision From(Inspection inspection, bool isAnomalous)
        => new(inspection.Score, inspection.IsAnomalous, inspection.IsForeign, inspection.Threshold, inspection.Probability, isAnomalous);
}
