namespace Microsoft.ML.KagPrompt.Station.Watching;

/// <summary>What has drifted.</summary>
internal enum DriftKind
{
    Brightness,
    Sharpness,
    Score,
}

/// <summary>A middle value that is not where it was.</summary>
internal sealed record Drift(DriftKind Kind, double Recent, double Reference);

/// <summary>
/// Tells drift from chance: the median of the last pictures lies further from the median of the reference than four spreads. The spread
/// is the
/// reference's median absolute deviation × 1.4826 (the standard deviation, were it normal), and never below a floor: five photographs
/// that happen
/// to be alike make no alarm of every cloud. Medians, so that one picture, or a tenth of them, changes nothing.
/// </summary>
internal static class DriftRule
{
    /// <summary>So many pictures are judged together.</summary>
    public const int Recent = 50;

    /// <summary>Fewer say nothing.</summary>
    public const int FewestRecent = 20;

    private const int FewestReference = 2;
    private const double Spreads = 4;
    private const double MadToDeviation = 1.4826;

    /// <summary>Null: nothing has drifted, or there is too little to tell.</summary>
    public static Drift? Find(DriftKind kind, IReadOnlyList<double> recent, IReadOnlyList<double> reference)
    {
        if (recent.Count < FewestRecent || reference.Count < FewestReference)
        {
            return null;
        }

        var middle = Median(reference);
        var spread = Math.Max(MadToDeviation * Median([.. reference.Select(value => Math.Abs(value - middle))]), Floor(kind, middle));
        var now = Median(recent);
        return Math.Abs(now - middle) > Spreads * spread ? new(kind, now, middle) : null;
    }

    public static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        var half = sorted.Length / 2;
        return sorted.Length == 0 ? double.NaN : sorted.Length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    // Three of 255 levels of light; a twentieth of the sharpness or of the score.
    private static double Floor(DriftKind kind, double middle) => kind == DriftKind.Brightness ? 3
        : Math.Max(0.05 * Math.Abs(middle), 1e-9);
}
