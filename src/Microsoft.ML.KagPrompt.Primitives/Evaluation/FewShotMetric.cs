namespace Microsoft.ML.KagPrompt;

/// <summary>A figure of a cell, by name.</summary>
/// <param name="Name">As in JSON: "image_auroc".</param>
/// <param name="Title">As in a table: "image AUROC".</param>
/// <param name="Value">Its value; null where it cannot be told.</param>
public sealed record FewShotMetric(string Name, string Title, Func<FewShotCell, double?> Value)
{
    /// <summary>How well scores and maps put what is defective before what is sound, whatever the threshold.</summary>
    public static IReadOnlyList<FewShotMetric> Ranking { get; } = Array.AsReadOnly<FewShotMetric>(
    [
        new("image_auroc", "image AUROC", cell => cell.ImageAuroc),
        new("image_ap", "image AP", cell => cell.ImageAp),
        new("image_f1_max", "image F1", cell => cell.ImageF1Max),
        new("pixel_auroc", "pixel AUROC", cell => cell.PixelAuroc),
        new("pixel_ap", "pixel AP", cell => cell.PixelAp),
        new("aupro", "AUPRO", cell => cell.Aupro),
    ]);

    /// <summary>What users live with at the model's own threshold; less is better.</summary>
    public static IReadOnlyList<FewShotMetric> AtThreshold { get; } = Array.AsReadOnly<FewShotMetric>(
    [
        new("miss_rate", "missed", cell => cell.MissRate),
        new("false_reject_rate", "false rejects", cell => cell.FalseRejectRate),
        new("balanced_error", "balanced error", cell => cell.BalancedError),
        new("balanced_error_best", "best possible", cell => cell.BalancedErrorBest),
        new("brier", "Brier", cell => cell.Brier),
    ]);

    /// <summary>Every figure of a cell, seconds included.</summary>
    public static IReadOnlyList<FewShotMetric> All { get; } = Array.AsReadOnly<FewShotMetric>(
    [
        .. Ranking,
        new("aupro_stepped", "AUPRO, stepped", cell => cell.AuproStepped),
        .. AtThreshold,
        new("seconds_fit", "seconds to fit", cell => cell.SecondsFit),
        new("seconds_per_image", "seconds an image", cell => cell.SecondsPerImage),
    ]);

    /// <summary>The mean of what is known; null where nothing is.</summary>
    internal static double? Mean(IEnumerable<double?> values)
    {
        var known = values.OfType<double>().ToArray();
        return known.Length > 0 ? known.Average() : null;
    }
}
