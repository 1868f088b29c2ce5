using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Metrics;

public class ImageMetricsTests
{
    [Fact]
    public void Of_RandomScores_EqualsTheSingleMetricsAndBracketsThem()
    {
        var random = new Random(4);
        var labels = Enumerable.Range(0, 80).Select(i => (bool?)(i % 3 == 0)).ToArray();
        float[] scores = [.. labels.Select(label => (float)Math.Round(random.NextDouble() + (label == true ? 0.4 : 0), 2))];
        bool[] known = [.. labels.Select(label => label!.Value)];
        var metrics = ImageMetrics.Of(scores, labels, seed: 1);
        metrics.Auroc.Value.Should().BeApproximately(RocMetrics.Auroc(scores, known), 1e-12);
        metrics.AveragePrecision.Value.Should().BeApproximately(RocMetrics.AveragePrecision(scores, known), 1e-12);
        metrics.F1Max.Value.Should().BeApproximately(RocMetrics.F1Max(scores, known).F1, 1e-12);
        metrics.F1Threshold.Should().Be(RocMetrics.F1Max(scores, known).Threshold);
        metrics.Auroc.Value.Should().BeInRange(metrics.Auroc.Low, metrics.Auroc.High);
        (metrics.Auroc.High - metrics.Auroc.Low).Should().BeInRange(0.05, 0.4);
        metrics.Warnings.Should().BeEmpty();
        ImageMetrics.Of(scores, labels, seed: 1).Should().BeEquivalentTo(metrics);
    }

    /// <summary>Of many samples of one distribution, the interval of about 95 in 100 holds the true value.</summary>
    [Fact]
    public void Of_ManySamples_IntervalsHoldTheTrueAuroc()
    {
        // Normal scores N(0, 1), anomalous N(1, 1): the AUROC is Φ(1 / √2).
        const double Truth = 0.7602;
        var random = new Random(11);
        double Gaussian() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var held = Enumerable.Range(0, 60).Count(i =>
        {
            var labels = Enumerable.Range(0, 120).Select(k => (bool?)(k < 50)).ToArray();
            var estimate = ImageMetrics.Of([.. labels.Select(label => (float)(Gaussian() + (label == true ? 1 : 0)))], labels, seed: i).Auroc;
            return Truth >= estimate.Low && Truth <= estimate.High;
        });
        held.Should().BeInRange(53, 60);
    }

    [Theory]
    [InlineData(false, "*All 3 labelled images are normal*")]
    [InlineData(true, "*All 3 labelled images are anomalous*")]
    public void Of_OneKindOnly_IsNaNWithAWarning(bool label, string warning)
    {
        var metrics = ImageMetrics.Of([1, 2, 3], [label, label, label]);
        double.IsNaN(metrics.Auroc.Value).Should().BeTrue();
        double.IsNaN(metrics.F1Max.Value).Should().BeTrue();
        float.IsNaN(metrics.F1Threshold).Should().BeTrue();
        metrics.Warnings.Should().ContainSingle().Which.Should().Match(warning);
    }

    [Fact]
    public void Of_UnknownLabelsOrScores_AreLeftOutAndNamed()
    {
        var metrics = ImageMetrics.Of([1, 2, float.NaN, 3], [false, null, true, true]);
        (metrics.Images, metrics.Anomalous, metrics.Auroc.Value).Should().Be((2, 1, 1));
        metrics.Warnings.Should().ContainSingle().Which.Should().Contain("2 of 4");
        ImageMetrics.Of([], []).Warnings.Should().ContainSingle().Which.Should().Contain("no labelled images");
    }

    [Fact]
    public void Mean_Classes_CountAlike()
    {
        var (one, other, none) = (ImageMetrics.Of([1, 2], [false, true]), ImageMetrics.Of([1, 1, 1, 1], [false, true, true, true]), ImageMetrics.Of([1], [true]));
        var mean = ImageMetrics.Mean([one, other, none]);
        mean.Auroc.Value.Should().Be(0.75);
        mean.Images.Should().Be(7);
        mean.Warnings.Should().ContainSingle();
    }
}
