using Microsoft.ML.KagPrompt.Metrics;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// How well scores rank anomalous items above normal ones. Ties count as ties; NaN scores (pixels not inspected) are left out.
/// </summary>
/// <remarks>All are NaN where only one kind of label is present. Pure functions, thread-safe.</remarks>
public static class RocMetrics
{
    /// <summary>
    /// Area under the ROC curve, in 0..1: the chance that an anomalous item scores above a normal one, ties counting half.
    /// </summary>
    /// <param name="scores">Higher is more anomalous.</param>
    /// <param name="labels">True: anomalous. As long as the scores.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double Auroc(ReadOnlySpan<float> scores, ReadOnlySpan<bool> labels) => Curve(scores, labels).Auroc();

    /// <summary>Average precision, in 0..1: Σ (recall gained) · precision over the distinct thresholds.</summary>
    /// <inheritdoc cref="Auroc"/>
    public static double AveragePrecision(ReadOnlySpan<float> scores, ReadOnlySpan<bool> labels)
        => Curve(scores, labels).AveragePrecision();

    /// <summary>Largest F1 over all thresholds, in 0..1, and the score at and above which items count as anomalous for it.</summary>
    /// <inheritdoc cref="Auroc"/>
    public static (double F1, float Threshold) F1Max(ReadOnlySpan<float> scores, ReadOnlySpan<bool> labels)
        => Curve(scores, labels).F1Max();

    private static ScoreCurve Curve(ReadOnlySpan<float> scores, ReadOnlySpan<bool> labels)
    {
        if (scores.Length != labels.Length)
        {
            throw new ArgumentException($"labels: expected one for each of {scores.Length} scores, got {labels.Length}.", nameof(labels));
        }

        return ScoreCurve.Build(scores.ToArray(), [.. labels.ToArray().Select(label => label ? 0 : double.NaN)], 0);
    }
}
