using Microsoft.ML.KagPrompt.Calibration;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using Xunit.Abstractions;

namespace Microsoft.ML.KagPrompt.Tests.Calibration;

/// <summary>What a threshold says of itself, against simulation and real photographs.</summary>
public class ThresholdCalibrationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(8, 8)]
    [InlineData(8, 6)]
    [InlineData(31, 30)]
    [InlineData(100, 95)]
    [InlineData(5, 1)]
    public void FalseRejectRate_ThresholdAtAScore_HoldsTheTrueShareAsOftenAsItSays(int count, int below)
    {
        // The share of a continuous distribution above the r-th of n draws, simulated through uniform ones.
        var (expected, low, high) = Calibrated(Enumerable.Range(1, count).Select(i => (float)i), below).FalseRejectRate;
        var shares = Shares(count, draws => draws[below - 1]);
        shares.Average().Should().BeApproximately(expected, 0.005);
        shares.Count(share => share >= low && share <= high).Should().BeInRange(17_800, 18_200, "90 % of 20,000");
        // No interval of that content is shorter: shift it both ways.
        var sorted = shares.Order().ToArray();
        var shortest = Enumerable.Range(0, 2_000).Min(i => sorted[i + 17_999] - sorted[i]);
        (high - low).Should().BeApproximately(shortest, 0.02);
    }

    [Theory]
    [InlineData(8, 8)]
    [InlineData(8, 7)]
    [InlineData(30, 21)]
    [InlineData(6, 0)]
    public void FalseRejectRate_ThresholdBetweenScores_HoldsTheTrueShareWhereverItLies(int count, int below)
    {
        var (expected, low, high) = Calibrated(Enumerable.Range(1, count).Select(i => (float)i), below + 0.5f).FalseRejectRate;
        expected.Should().BeInRange(low, high);
        foreach (var place in (double[])[0.01, 0.5, 0.99])
        {
            var shares = Shares(count, draws => (1 - place) * (below == 0 ? 0 : draws[below - 1]) + (place * (below == count ? 1 : draws[below])));
            shares.Count(share => share >= low && share <= high).Should().BeGreaterThan(17_800, $"at {place} of the way");
        }
    }

    /// <summary>The share of a uniform distribution above a threshold that is placed by n draws in ascending order, 20,000 times.</summary>
    private static double[] Shares(int count, Func<double[], double> threshold)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, 20_000).Select(_ => 1 - threshold([.. Enumerable.Range(0, count).Select(_ => random.NextDouble()).Order()]))];
    }

    [Fact]
    public void ProbabilityOf_AnyScores_IsHalfAtTheThresholdAndRises()
    {
        var random = new Random(4);
        for (var trial = 0; trial < 100; trial++)
        {
            float[] Draw(int count, float middle) => [.. Enumerable.Range(0, count).Select(_ => middle + random.NextSingle()).Order()];
            var (normal, defective) = (Draw(random.Next(2, 20), 0), Draw(random.Next(0, 20), random.NextSingle() * 2));
            var threshold = random.NextSingle() * 2;
            var calibration = Calibrated(normal, threshold) with { Scale = ProbabilityScale.Compute(threshold, normal, defective) };
            calibration.ProbabilityOf(threshold).Should().Be(0.5f);
            var values = Enumerable.Range(0, 50).Select(i => calibration.ProbabilityOf(i / 20f)).ToArray();
            values.Should().BeInAscendingOrder().And.OnlyContain(value => value >= 0 && value <= 1);
        }
    }

    [Fact]
    public void ProbabilityScale_ScoresOfALogisticCurve_FindsIt()
    {
        // Defective with the chance the curve says, both kinds drawn equally often: the likeliest scale is the curve's own.
        const double True = 0.05;
        var random = new Random(9);
        var (normal, defective) = (new List<float>(), new List<float>());
        for (var i = 0; i < 40_000; i++)
        {
            var score = (float)(0.5 + ((random.NextDouble() - 0.5) * 0.6));
            (random.NextDouble() < 1 / (1 + Math.Exp(-(score - 0.5) / True)) ? defective : normal).Add(score);
        }

        ProbabilityScale.Compute(0.5f, normal, defective).Should().BeApproximately((float)True, 0.003f);
    }

    [Fact]
    public void WithThreshold_Moved_CountsItsRejectsAnew()
    {
        using var model = KagPromptTrainer.Fit(Parts(6), new FitChoices { Epochs = 0, FromScratch = true, ImageSize = 112 });
        var calibration = model.CalibrationOf("object");
        calibration.MapThreshold.Should().Be(calibration.Threshold, "the bank alone scores");
        calibration.SyntheticScores.Should().NotBeEmpty().And.BeInAscendingOrder();
        var lowest = calibration.NormalScores[0] - 1;
        using var moved = model.WithThreshold(lowest);
        var after = moved.CalibrationOf("object");
        after.FalseRejectRate.Expected.Should().BeGreaterThan(0.9);
        after.FalseRejectRate.High.Should().Be(1);
        after.MapThreshold.Should().BeApproximately(lowest, 1e-6f);
        after.ProbabilityOf(lowest).Should().Be(0.5f);
        model.CalibrationOf("object").Should().BeSameAs(calibration);
    }

    [Fact]
    public void Recalibrate_Rate_PlacesTheThresholdByTheStoredScoresAndStateWhatItRejects()
    {
        using var model = KagPromptTrainer.Fit(Parts(6), new FitChoices { Epochs = 0, FromScratch = true, ImageSize = 112 });
        var before = model.CalibrationOf("object");
        using var moved = KagPromptTrainer.Recalibrate(model, 0.5f);
        var after = moved.CalibrationOf("object");
        after.Threshold.Should().Be(before.ScoreModel!.Threshold(0.5));
        after.FalseRejectRate.Expected.Should().BeApproximately(0.5, 1e-4);
        after.Method.Should().Be(before.Method);
        (after.MapThreshold - before.MapThreshold).Should().BeApproximately(after.Threshold - before.Threshold, 1e-6f);
        after.Scale.Should().Be(ProbabilityScale.Compute(after.Threshold, before.NormalScores, before.SyntheticScores));
        using var back = KagPromptTrainer.Recalibrate(moved, model.Options.Threshold.FalseRejectRate);
        back.CalibrationOf("object").Threshold.Should().Be(before.Threshold);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.51f)]
    [InlineData(float.NaN)]
    public void Recalibrate_RateOutOfRange_IsRefused(float rate)
    {
        using var model = KagPromptTrainer.Fit(Parts(2), new FitChoices { Epochs = 0, FromScratch = true, ImageSize = 112 });
        FluentActions.Invoking(() => KagPromptTrainer.Recalibrate(model, rate)).Should().Throw<ArgumentException>().WithMessage("*above 0, at most 0.5*");
        FluentActions.Invoking(() => KagPromptTrainer.Recalibrate(model, 0.1f, "nonsense")).Should().Throw<ArgumentException>().WithMessage("*'object'*");
    }

    [Fact]
    public void Recalibrate_WithoutAScoreModel_GoesByRankAndNeedsTwoScores()
    {
        // As in models of package 0.1.0, and where there are many normal scores.
        var calibration = Calibrated(Enumerable.Range(1, 6).Select(i => (float)i), 3.5f);
        var placed = ThresholdRule.Recalibrated("object", calibration, 0.5f);
        placed.Threshold.Should().Be(4, "rank ⌈7 · 0.5⌉ of six");
        placed.Method.Should().Contain("rank 4 of 6");
        FluentActions.Invoking(() => ThresholdRule.Recalibrated("object", Calibrated([1f], 2), 0.1f))
            .Should().Throw<InsufficientDataException>().WithMessage("*'object' keeps 1 normal score*at least 2*");
    }

    [SkippableFact]
    public void Fit_EightSupports_FalseRejectsLieInTheStatedInterval()
    {
        var (held, widths, draws) = (0, 0.0, 0);
        foreach (var name in (string[])["magnetic_tile", "aws_cookie"])
        {
            var folder = SharedFiles.Data(name);
            var (train, test) = (Read(Path.Combine(folder, "train", "good")), Read(Path.Combine(folder, "test", "good")));
            for (var draw = 0; draw < 3; draw++, draws++)
            {
                var order = Enumerable.Range(0, train.Length).ToArray();
                new Random(draw).Shuffle(order);
                using var model = KagPromptTrainer.Fit(order.Take(8).Select(i => new TrainingImage { Image = train[i] }), new InspectionOptions { Seed = draw, Device = "cpu" });
                var (expected, low, high) = model.CalibrationOf("object").FalseRejectRate;
                var rejected = model.Inspect(test, new string?[test.Length]).Count(inspection => inspection.IsAnomalous) / (double)test.Length;
                held += rejected >= low && rejected <= high ? 1 : 0;
                widths += high - low;
                output.WriteLine($"{name}, draw {draw}: {rejected:P1} of {test.Length} rejected; stated {expected:P1}, {low:P1} to {high:P1}");
            }
        }

        output.WriteLine($"{held} of {draws} within, intervals {widths / draws:0.00} wide on average");
        held.Should().Be(draws, "nine of ten of few draws are all of them");
        (widths / draws).Should().BeLessThanOrEqualTo(0.4);
    }

    private static PixelBuffer[] Read(string folder) => [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(TestImages.Read)];

    private static IEnumerable<TrainingImage> Parts(int count) => Enumerable.Range(0, count).Select(i => new TrainingImage { Image = TestImages.Part(100, 90, i) });

    private static ThresholdCalibration Calibrated(IEnumerable<float> normal, float threshold)
        => new() { Method = "test", Threshold = threshold, MapThreshold = threshold, Scale = 0.1f, SupportImages = 1, NormalScores = [.. normal] };
}
