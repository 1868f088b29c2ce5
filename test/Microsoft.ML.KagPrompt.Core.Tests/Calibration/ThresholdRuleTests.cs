using Microsoft.ML.KagPrompt.Calibration;

namespace Microsoft.ML.KagPrompt.Tests.Calibration;

public class ThresholdRuleTests
{
    [Fact]
    public void FromNormals_EnoughScores_TakesConformalRank()
    {
        var scores = Enumerable.Range(1, 39).Select(i => i / 100f).ToArray();
        var calibration = ThresholdRule.FromNormals(scores, 0.05f);
        calibration.Threshold.Should().Be(0.38f);
        calibration.Method.Should().Contain("rank 38 of 39");
    }

    [Fact]
    public void FromNormals_FewScores_UsesPredictionBound()
    {
        // mean 2, deviation 1, t(0.95, 2) = 2.920: 2 + 2.920 * sqrt(4/3)
        ThresholdRule.FromNormals([1f, 2f, 3f], 0.05f).Threshold.Should().BeApproximately(5.3717f, 1e-3f);
    }

    [Fact]
    public void FromNormals_TwoScoresAndARareReject_UsesTheFarTail()
    {
        // mean 1.5, deviation sqrt(1/2), t(0.9999, 1) = 3183.10: 1.5 + 3183.10 * sqrt(1/2 * 3/2)
        ThresholdRule.FromNormals([1f, 2f], 1e-4f).Threshold.Should().BeApproximately(2758.15f, 0.05f);
    }

    [Fact]
    public void FromNormals_NewScoresOfSameDistribution_AreRejectedAtAboutTheTargetRate()
    {
        var random = new Random(5);
        var rejected = 0;
        const int Trials = 4000;
        for (var trial = 0; trial < Trials; trial++)
        {
            var scores = Enumerable.Range(0, 5).Select(_ => Normal(random)).ToArray();
            rejected += Normal(random) > ThresholdRule.FromNormals(scores, 0.1f).Threshold ? 1 : 0;
        }

        ((double)rejected / Trials).Should().BeInRange(0.08, 0.12);
    }

    [Fact]
    public void FromLabels_RandomScores_NoOtherThresholdHasLargerF1()
    {
        var random = new Random(11);
        for (var trial = 0; trial < 50; trial++)
        {
            var normal = Enumerable.Range(0, 13).Select(_ => random.Next(20) / 20f).ToArray();
            var anomalous = Enumerable.Range(0, 7).Select(_ => random.Next(8, 28) / 20f).ToArray();
            var threshold = ThresholdRule.FromLabels(normal, anomalous);
            var best = Enumerable.Range(-1, 60).Max(i => F1(normal, anomalous, (i / 20f) + 0.025f));
            F1(normal, anomalous, threshold).Should().BeApproximately(best, 1e-9);
        }
    }

    [Fact]
    public void FromLabels_Separable_ThresholdSeparates()
    {
        var threshold = ThresholdRule.FromLabels([0.1f, 0.2f], [0.4f, 0.5f]);
        threshold.Should().BeApproximately(0.3f, 1e-6f);
    }

    private static double F1(float[] normal, float[] anomalous, float threshold)
    {
        var found = anomalous.Count(score => score > threshold);
        var wrong = normal.Count(score => score > threshold);
        return 2.0 * found / (found + wrong + anomalous.Length);
    }

    private static float Normal(Random random)
        => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
