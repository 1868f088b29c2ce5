using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt.Tests.Evaluation;

public class DecisionFiguresTests
{
    private static FewShotCell Cell => new() { Dataset = "d", Class = "c", Shots = 1, Seed = 0 };

    [Fact]
    public void With_RandomDecisions_AgreesWithCountingOverEveryThreshold()
    {
        var random = new Random(1);
        for (var run = 0; run < 50; run++)
        {
            // Few distinct scores, so that there are ties; some images are foreign and called whatever the threshold.
            Decision[] all = [.. Enumerable.Range(0, 12).Select(i => (Score: (float)random.Next(6), IsForeign: random.Next(5) == 0))
                .Select((row, i) => new Decision(row.Score, row.IsForeign || row.Score > 2.5f, row.IsForeign, 2.5f, random.NextSingle(), i % 3 == 0))];
            var cell = DecisionFigures.With(Cell, all);
            cell.MissRate.Should().BeApproximately(all.Count(one => one.IsAnomalous && !one.IsCalled) / 4.0, 1e-12);
            cell.FalseRejectRate.Should().BeApproximately(all.Count(one => !one.IsAnomalous && one.IsCalled) / 8.0, 1e-12);
            cell.BalancedError.Should().BeApproximately((cell.MissRate!.Value + cell.FalseRejectRate!.Value) / 2, 1e-12);
            cell.BalancedErrorBest.Should().BeApproximately(Enumerable.Range(-1, 8).Min(t => ((all.Count(one => one.IsAnomalous && !(one.IsForeign || one.Score > t)) / 4.0)
                + (all.Count(one => !one.IsAnomalous && (one.IsForeign || one.Score > t)) / 8.0)) / 2), 1e-12);
            cell.Brier.Should().BeApproximately(all.Sum(one => one.IsAnomalous ? (1.0 - one.Probability) * (1.0 - one.Probability) : (double)one.Probability * one.Probability) / 12, 1e-6);
        }
    }

    [Fact]
    public void With_NoThresholdOrOneKind_IsNull()
    {
        var undecided = DecisionFigures.With(Cell, [new(1, false, false, float.NaN, float.NaN, true), new(0, false, false, float.NaN, float.NaN, false)]);
        (undecided.MissRate, undecided.FalseRejectRate, undecided.BalancedError, undecided.Brier).Should().Be((null, null, null, null), "no decision is not a pass");
        undecided.BalancedErrorBest.Should().Be(0);
        var sound = DecisionFigures.With(Cell, [new(1, true, false, 0.5f, 0.7f, false)]);
        (sound.MissRate, sound.FalseRejectRate, sound.BalancedError, sound.BalancedErrorBest).Should().Be((null, 1, null, null));
    }
}
