namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>What decisions are worth: misses, false rejects, and how far the chances told are off.</summary>
internal static class DecisionFigures
{
    /// <summary>The cell with these figures; null where there is no threshold, or no image of the kind.</summary>
    public static FewShotCell With(FewShotCell cell, IReadOnlyList<Decision> decisions)
    {
        var isDecided = decisions.All(decision => !float.IsNaN(decision.Threshold));
        var (missed, rejected) = isDecided
            ? (Share(decisions, true, decision => !decision.IsCalled), Share(decisions, false, decision => decision.IsCalled))
            : (null, null);
        return cell with
        {
            MissRate = missed,
            FalseRejectRate = rejected,
            BalancedError = (missed + rejected) / 2,
            BalancedErrorBest = Best(decisions),
            Brier = decisions.Count == 0 || decisions.Any(decision => float.IsNaN(decision.Probability)) ? null
                : decisions.Average(decision => Math.Pow(decision.Probability - (decision.IsAnomalous ? 1 : 0), 2)),
        };
    }

    private static double? Share(IEnumerable<Decision> decisions, bool isAnomalous, Func<Decision, bool> holds)
    {
        var kind = decisions.Where(decision => decision.IsAnomalous == isAnomalous).ToArray();
        return kind.Length == 0 ? null : (double)kind.Count(holds) / kind.Length;
    }

    /// <summary>
    /// The least balanced error over all thresholds. What is foreign is called whatever the threshold, as the model does.
    /// </summary>
    private static double? Best(IReadOnlyList<Decision> decisions)
    {
        var anomalous = decisions.Count(decision => decision.IsAnomalous);
        var normal = decisions.Count - anomalous;
        if (anomalous == 0 || normal == 0)
        {
            return null;
        }

        // The threshold goes down past one score after the other: above all of them at first.
        var missed = decisions.Count(decision => decision is { IsAnomalous: true, IsForeign: false });
        var rejected = decisions.Count(decision => decision is { IsAnomalous: false, IsForeign: true });
        double Error() => (((double)missed / anomalous) + ((double)rejected / normal)) / 2;
        var best = Error();
        var byScore = decisions.Where(decision => !decision.IsForeign).GroupBy(decision => decision.Score);
        foreach (var tied in byScore.OrderByDescending(group => group.Key))
        {
            missed -= tied.Count(decision => decision.IsAnomalous);
            rejected += tied.Count(decision => !decision.IsAnomalous);
            best = Math.Min(best, Error());
        }

        return best;
    }
}
