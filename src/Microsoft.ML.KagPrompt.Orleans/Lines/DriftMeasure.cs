using Microsoft.ML.KagPrompt.Station.Watching;

namespace Microsoft.ML.KagPrompt.Orleans.Lines;

/// <summary>The last scores against the teaching's.</summary>
internal static class DriftMeasure
{
    /// <summary>So many scores are kept.</summary>
    public const int Kept = DriftRule.Recent;

    private static readonly double[] Shares = [0.1, 0.5, 0.9];

    /// <summary>Null: too few of either.</summary>
    public static ScoreDrift? Compute(IReadOnlyList<float> teaching, IReadOnlyList<float> recent)
    {
        if (teaching.Count == 0 || recent.Count < DriftRule.FewestRecent)
        {
            return null;
        }

        double[] before = [.. teaching.Select(score => (double)score).Order()];
        double[] now = [.. recent.Select(score => (double)score).Order()];
        return new()
        {
            Shares = Shares.ToArray(),
            Teaching = Shares.Select(share => Quantile(before, share)).ToArray(),
            Recent = Shares.Select(share => Quantile(now, share)).ToArray(),
            Count = now.Length,
            HasDrifted = DriftRule.Find(DriftKind.Score, now, before) is not null,
        };
    }

    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}
