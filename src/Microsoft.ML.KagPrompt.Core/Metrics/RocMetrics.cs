namespace Microsoft.ML.KagPrompt.Metrics;

/// <summary>How well scores rank anomalous items above normal ones. Ties count as ties; NaN scores (pixels not inspected) are left out.</summary>
/// <remarks>All are NaN where only one kind of label is present. Pure functions, thread-safe.</remarks>
public static class RocMetrics
{
    /// <summary>Area under the ROC curve, in 0..1: the chance that an anomalous item scores above a normal one, ties counting half.</summary>
    /// <param name="scores">Higher is more anomalous.</param>
    /// <param name="labels">True: anomalous. As long as the scores.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double Auroc(ReadOnlySpan<float> scores, ReadOnlySpan<bool> labels)
    {
        var curve = Sorted(scores, labels, out var positives, out var negatives);
        if (positives == 0 || negatives == 0)
        {
            return double.NaN;
        }

        var (area, truePositives, falsePositives) = (0.0, 0L, 0L);
        foreach (var (hits, misses, _) in curve)
        {
            area += misses * (truePositives + (hits / 2.0));
            (truePositives, falsePositives) = (truePositives + hits, falsePositives + misses);
        }

        return area / ((double)positives * negatives);
    }

    /// <summary>Average precision, in 0..1: Σ (recall gained) · precision over the distinct thresholds.</summary>
    /// <inheritdoc cref="Auroc"/>
    public static double AveragePrecision(ReadOnlySpan<float> scores, ReadOnlySpan<bool> labels)
    {
        var curve = Sorted(scores, labels, out var positives, out var negatives);
        if (positives == 0 || negatives == 0)
        {
            return double.NaN;
        }

        var (sum, found, taken) = (0.0, 0L, 0L);
        foreach (var (hits, misses, _) in curve)
        {
            found += hits;
            taken += hits + misses;
            sum += (double)hits / positives * ((double)found / taken);
        }

        return sum;
    }

    /// <summary>Largest F1 over all thresholds, in 0..1, and the score at and above which items count as anomalous for it.</summary>
    /// <inheritdoc cref="Auroc"/>
    public static (double F1, float Threshold) F1Max(ReadOnlySpan<float> scores, ReadOnlySpan<bool> labels)
    {
        var curve = Sorted(scores, labels, out var positives, out var negatives);
        if (positives == 0 || negatives == 0)
        {
            return (double.NaN, float.NaN);
        }

        var (best, threshold, found, taken) = (-1.0, float.NaN, 0L, 0L);
        foreach (var (hits, misses, score) in curve)
        {
            found += hits;
            taken += hits + misses;
            var f1 = 2.0 * found / (positives + taken);
            if (f1 > best)
            {
                (best, threshold) = (f1, score);
            }
        }

        return (best, threshold);
    }

    /// <summary>Distinct scores from the highest down, with the anomalous and normal items that have each.</summary>
    private static List<(long Hits, long Misses, float Score)> Sorted(ReadOnlySpan<float> scores, ReadOnlySpan<bool> labels, out long positives, out long negatives)
    {
        if (scores.Length != labels.Length)
        {
            throw new ArgumentException($"labels: expected one for each of {scores.Length} scores, got {labels.Length}.", nameof(labels));
        }

        var keys = scores.ToArray();
        var values = labels.ToArray();
        Array.Sort(keys, values);
        var steps = new List<(long, long, float)>();
        (positives, negatives) = (0, 0);

        // NaN sorts first, so walking down from the top meets it last.
        for (var i = keys.Length - 1; i >= 0 && !float.IsNaN(keys[i]);)
        {
            var (hits, misses, score) = (0L, 0L, keys[i]);
            for (; i >= 0 && keys[i] == score; i--)
            {
                hits += values[i] ? 1 : 0;
                misses += values[i] ? 0 : 1;
            }

            positives += hits;
            negatives += misses;
            steps.Add((hits, misses, score));
        }

        return steps;
    }
}
