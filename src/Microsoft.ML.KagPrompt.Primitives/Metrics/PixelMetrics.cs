using Microsoft.ML.KagPrompt.Metrics;

namespace Microsoft.ML.KagPrompt;

/// <summary>How well anomaly maps find defective pixels and regions.</summary>
public sealed record PixelMetrics
{
    /// <summary>Images counted.</summary>
    public required int Images { get; init; }

    /// <summary>Defective regions in them, 8-connected.</summary>
    public required long Regions { get; init; }

    /// <summary>Area under the ROC curve of pixels.</summary>
    public required Estimate Auroc { get; init; }

    /// <summary>Average precision of pixels.</summary>
    public required Estimate AveragePrecision { get; init; }

    /// <summary>Largest F1 of pixels over all thresholds.</summary>
    public required Estimate F1Max { get; init; }

    /// <summary>The map value at and above which pixels count as defective for <see cref="F1Max"/>.</summary>
    public required float F1Threshold { get; init; }

    /// <summary>Area under the per-region overlap up to a false positive rate of 0.3, divided by it; exact.</summary>
    public required Estimate Aupro30 { get; init; }

    /// <summary>The same up to 0.05.</summary>
    public required Estimate Aupro05 { get; init; }

    /// <summary>The published code's AUPRO: 200 thresholds, rates below 0.3 (<see cref="RegionOverlap.AuproStepped"/>).</summary>
    public required double AuproStepped { get; init; }

    /// <summary>
    /// Relative distance of map values that are told apart: 0 where all are; above where there were more distinct values than are kept.
    /// </summary>
    public required double Resolution { get; init; }

    /// <summary>What keeps a metric from being told, in words.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>The mean over classes, each counting alike; thresholds have no mean.</summary>
    public static PixelMetrics Mean(IReadOnlyCollection<PixelMetrics> classes)
    {
        var stepped = classes.Select(metrics => metrics.AuproStepped).Where(value => !double.IsNaN(value)).ToArray();
        return new()
        {
            Images = classes.Sum(metrics => metrics.Images),
            Regions = classes.Sum(metrics => metrics.Regions),
            Auroc = Estimate.Mean(classes.Select(metrics => metrics.Auroc)),
            AveragePrecision = Estimate.Mean(classes.Select(metrics => metrics.AveragePrecision)),
            F1Max = Estimate.Mean(classes.Select(metrics => metrics.F1Max)),
            F1Threshold = float.NaN,
            Aupro30 = Estimate.Mean(classes.Select(metrics => metrics.Aupro30)),
            Aupro05 = Estimate.Mean(classes.Select(metrics => metrics.Aupro05)),
            AuproStepped = stepped.Length > 0 ? stepped.Average() : double.NaN,
            Resolution = classes.Select(metrics => metrics.Resolution).DefaultIfEmpty().Max(),
            Warnings = [.. classes.SelectMany(metrics => metrics.Warnings).Distinct()],
        };
    }
}
