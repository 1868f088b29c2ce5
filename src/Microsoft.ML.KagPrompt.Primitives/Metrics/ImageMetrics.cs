using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>How well image scores tell anomalous images from normal ones.</summary>
public sealed record ImageMetrics
{
    private const int Replicates = 1000;

    /// <summary>Images with a label and a score.</summary>
    public required int Images { get; init; }

    /// <summary>Anomalous ones among them.</summary>
    public required int Anomalous { get; init; }

    /// <summary>Area under the ROC curve.</summary>
    public required Estimate Auroc { get; init; }

    /// <summary>Average precision.</summary>
    public required Estimate AveragePrecision { get; init; }

    /// <summary>Largest F1 over all thresholds.</summary>
    public required Estimate F1Max { get; init; }

    /// <summary>The score at and above which images count as anomalous for <see cref="F1Max"/>.</summary>
    public required float F1Threshold { get; init; }

    /// <summary>What keeps a metric from being told, in words.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Computes all of them.</summary>
    /// <param name="scores">Higher is more anomalous; NaN is left out.</param>
    /// <param name="labels">True: anomalous; null: not known, left out. As long as the scores.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static ImageMetrics Compute(IReadOnlyList<float> scores, IReadOnlyList<bool?> labels, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(labels);
        if (scores.Count != labels.Count)
        {
            throw new ArgumentException($"labels: expected one for each of {scores.Count} scores, got {labels.Count}.", nameof(labels));
        }

        var rows = scores.Zip(labels)
            .Where(row => row.Second is not null && !float.IsNaN(row.First))
            .OrderByDescending(row => row.First)
            .Select(row => (Score: row.First, IsAnomalous: row.Second!.Value))
            .ToArray();
        var (exact, replicates) = (Curve(rows, _ => 1), new ScoreCurve[Replicates]);
        var random = new Random(seed);
        var weights = rows.Select(_ => Bootstrap.Weights(random, Replicates)).ToArray();
        Parallel.For(0, Replicates, i => replicates[i] = Curve(rows, row => weights[row][i]));
        Estimate With(Func<ScoreCurve, double> metric) => Bootstrap.Interval(metric(exact), metric(exact), replicates.Select(metric));
        return new()
        {
            Images = rows.Length,
            Anomalous = rows.Count(row => row.IsAnomalous),
            Auroc = With(curve => curve.Auroc()),
            AveragePrecision = With(curve => curve.AveragePrecision()),
            F1Max = With(curve => curve.F1Max().F1),
            F1Threshold = exact.F1Max().Threshold,
            Warnings = [.. Warn(rows.Length, rows.Count(row => row.IsAnomalous), scores.Count)],
        };
    }

    /// <summary>The mean over classes, each counting alike; thresholds have no mean.</summary>
    public static ImageMetrics Mean(IReadOnlyCollection<ImageMetrics> classes) => new()
    {
        Images = classes.Sum(metrics => metrics.Images),
        Anomalous = classes.Sum(metrics => metrics.Anomalous),
        Auroc = Estimate.Mean(classes.Select(metrics => metrics.Auroc)),
        AveragePrecision = Estimate.Mean(classes.Select(metrics => metrics.AveragePrecision)),
        F1Max = Estimate.Mean(classes.Select(metrics => metrics.F1Max)),
        F1Threshold = float.NaN,
        Warnings = [.. classes.SelectMany(metrics => metrics.Warnings).Distinct()],
    };

    private static IEnumerable<string> Warn(int count, int anomalous, int all)
    {
        if (count < all)
        {
            yield return $"{all - count} of {all} images have no label or no score and are left out.";
        }

        if (anomalous == 0 || anomalous == count)
        {
            yield return count == 0
                ? "There are no labelled images: no image metric can be told."
                : $"All {count} labelled images are {(anomalous == 0 ? "normal" : "anomalous")}: "
                    + "no image metric can be told without the other kind.";
        }
    }

    private static ScoreCurve Curve((float Score, bool IsAnomalous)[] rows, Func<int, int> weight)
    {
        var (scores, normal, anomalous) = (new List<float>(), new List<double>(), new List<double>());
        for (var i = 0; i < rows.Length; i++)
        {
            if (i == 0 || rows[i].Score != rows[i - 1].Score)
            {
                scores.Add(rows[i].Score);
                normal.Add(0);
                anomalous.Add(0);
            }

            (rows[i].IsAnomalous ? anomalous : normal)[^1] += weight(i);
        }

        return new([.. scores], [.. normal], [.. anomalous], new double[scores.Count], 0);
    }
}
