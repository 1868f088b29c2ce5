using Microsoft.ML.KagPrompt.Calibration;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Calibration;

/// <summary>
/// What is expected of normal scores, against simulation: products whose scores spread as the prior says, photographs drawn from them.
/// </summary>
public class NormalScoreModelTests
{
    private const double Spread = 0.1;
    private const int Products = 4000;

    [Theory]
    [InlineData(4, 0.05)]
    [InlineData(4, 0.2)]
    [InlineData(16, 0.05)]
    public void FromNormals_ProductsAtLarge_RejectTheShareAskedForAndLieInTheStatedInterval(int count, double rate)
    {
        var random = new Random(count);
        var (rejected, held) = (0.0, 0);
        for (var product = 0; product < Products; product++)
        {
            // Every product has its own place, its own spread about the usual one, and what its supports do not show.
            var spread = Spread * Math.Sqrt(5 / Enumerable.Range(0, 5).Sum(_ => Square(Gauss(random))));
            var (place, systematic) = (-1.5 + Gauss(random), spread * Math.Sqrt(4.0 / count) * Gauss(random));
            var shift = -0.08 * Math.Min(1, 4.0 / count);
            float[] scores = [.. Enumerable.Range(0, count)
                .Select(_ => (float)Math.Exp(place - shift + systematic + (spread * Gauss(random))))];
            // Defects of all products lie almost three of the usual deviations above.
            float[] synthetic = [(float)Math.Exp(place - shift + systematic + (Spread / 0.36))];
            var model = NormalScoreEstimate.FromNormals(scores, [], synthetic, count);
            var threshold = model.Threshold(rate);
            var share = Tail((Math.Log(threshold) - place) / spread);
            var (expected, low, high) = model.RejectRate(threshold);
            expected.Should().BeApproximately(rate, 1e-6);
            rejected += share / Products;
            held += share >= low && share <= high ? 1 : 0;
        }

        rejected.Should().BeInRange(0.75 * rate, 1.35 * rate);
        held.Should().BeGreaterThan((int)(0.87 * Products));
    }

    [Fact]
    public void FromNormals_OneOddPhotograph_MovesTheThresholdLittle()
    {
        float[] alike = [0.19f, 0.2f, 0.21f, 0.2f];
        var without = NormalScoreEstimate.FromNormals(alike, [], [0.25f], 4).Threshold(0.1);
        var with = NormalScoreEstimate.FromNormals([.. alike[..3], 2f], [], [0.25f], 4).Threshold(0.1);
        (with / without).Should().BeInRange(1, 1.6f);
    }

    [Fact]
    public void FromNormals_TwiceTheScores_TwiceTheThreshold()
    {
        float[] scores = [0.1f, 0.13f, 0.11f];
        var once = NormalScoreEstimate.FromNormals(scores, [0.12f], [0.3f], 3).Threshold(0.1);
        var twice = NormalScoreEstimate.FromNormals([.. scores.Select(score => 2 * score)], [0.24f], [0.6f], 3).Threshold(0.1);
        twice.Should().BeApproximately(2 * once, 1e-5f);
    }

    [Fact]
    public void FromOne_CluesThatAgree_LiesBetweenThemWhateverTheScale()
    {
        var model = NormalScoreEstimate.FromOne([0.2f, 0.3f, 0.32f, 0.28f, 0.3f], [0.25f])!;
        // A third of the views' word, two of the halves'.
        model.Location.Should().BeApproximately(((Math.Log(0.2) + 0.09) / 3) + (2 * (Math.Log(0.3) - 0.36) / 3), 1e-6);
        var twice = NormalScoreEstimate.FromOne([0.4f, 0.6f, 0.64f, 0.56f, 0.6f], [0.5f])!;
        twice.Threshold(0.1).Should().BeApproximately(2 * model.Threshold(0.1), 1e-5f);
    }

    [Theory]
    [InlineData(0.2f, 1f, 0.25f, 0.25, 0)]
    [InlineData(0.2f, 0f, 0.7f, 0.2, 0.09)]
    [InlineData(0.001f, 0.3f, 0.25f, 0.3, -0.36)]
    [InlineData(0f, 0.3f, 0.25f, 0.3, -0.36)]
    [InlineData(0f, 0f, 0.25f, 0.25, 0)]
    public void FromOne_AClueThatSaysNothing_IsSetAside(float views, float halves, float defects, double believed, double above)
        => NormalScoreEstimate.FromOne([views, halves, halves, halves, halves], [defects])!.Location
            .Should().BeApproximately(Math.Log(believed) + above, 1e-6);

    [Fact]
    public void FromTwo_EachOtherAndThemselves_LiesBetween()
    {
        float[][] itself = [[0.2f, 0.3f], [0.25f, 0.35f]];
        var model = NormalScoreEstimate.FromTwo([0.22f, 0.24f], itself, [0.3f])!;
        var own = itself.Average(scores => NormalScoreEstimate.FromOne(scores, [0.3f])!.Location);
        var eachOther = ((Math.Log(0.22) + Math.Log(0.24)) / 2) - 0.135;
        model.Location.Should().BeApproximately((2 * eachOther / 3) + (own / 3), 1e-6);
        model.LocationError.Should().BeInRange(model.AllowedError!.Value, NormalScoreEstimate.FromOne([0.2f], [])!.LocationError);
        NormalScoreEstimate.FromTwo([0.22f, 0.24f], [[0.2f], [0]], []).Should().BeNull("one says nothing of itself");
    }

    [Fact]
    public void Fit_TwoImages_GoByEachOtherAndByThemselves()
    {
        TrainingImage[] parts = [.. Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(100, 90, i) })];
        var choices = new FitChoices { Backbone = "resnet18", Epochs = 0, ImageSize = 112 };
        ThresholdCalibration Calibrated(params TrainingImage[] images)
        {
            using var model = KagPromptTrainer.Fit(images, choices);
            return model.CalibrationOf("object");
        }

        var two = Calibrated(parts[..2]);
        two.Method.Should().Contain("against its own views and halves");
        // Of the same pictures alone.
        var own = parts[..2].Average(part => Calibrated(part).ScoreModel!.Location);
        var eachOther = two.NormalScores.Average(score => Math.Log(score)) - 0.135;
        two.ScoreModel!.Location.Should().BeApproximately((2 * eachOther / 3) + (own / 3), 0.01);
        // A copy tells nothing: there is one photograph.
        Calibrated(parts[0], parts[0]).ScoreModel!.AllowedError.Should().Be(0);
        Calibrated(parts).ScoreModel!.AllowedError.Should().BeNull("three tell the place themselves");
    }

    [Fact]
    public void RejectRate_OfOneAndOfTwoAtTwelvePercent_IsWhatTheDocumentsSay()
    {
        (double Expected, double Low, double High) Stated(NormalScoreModel? model) => model!.RejectRate(model.Threshold(0.12));
        var one = Stated(NormalScoreEstimate.FromOne([0.2f], []));
        one.Expected.Should().BeApproximately(1 / 3.0, 0.03);
        (one.Low, one.High).Should().Match<(double Low, double High)>(interval => interval.Low == 0 && interval.High > 0.95);
        Stated(NormalScoreEstimate.FromTwo([0.2f, 0.2f], [[0.2f], [0.2f]], [])).Expected.Should().BeApproximately(0.17, 0.005);
    }

    [Fact]
    public void FromOne_NothingButRounding_SaysNothing() => NormalScoreEstimate.FromOne([0, 4e-7f], []).Should().BeNull();

    [Fact]
    public void Threshold_OfAPlaceHardlyKnown_DoesNotAllowForItButTheRateTells()
    {
        var model = NormalScoreEstimate.FromOne([0.2f], [])!;
        var threshold = model.Threshold(0.1);
        threshold.Should().BeApproximately((model with { LocationError = 0, AllowedError = null }).Threshold(0.1), 1e-6f);
        threshold.Should().BeLessThan((model with { AllowedError = null }).Threshold(0.1));
        model.RejectRate(threshold).Expected.Should().BeGreaterThan(0.2);
        (model with { AllowedError = model.LocationError }).Threshold(0.1).Should().Be((model with { AllowedError = null }).Threshold(0.1));
    }

    [Fact]
    public void RejectRate_HigherThreshold_IsSmallerAndItsIntervalHoldsIt()
    {
        var model = NormalScoreEstimate.FromNormals([0.1f, 0.13f, 0.11f], [], [], 3);
        var rates = Enumerable.Range(1, 30).Select(i => model.RejectRate(i / 100f)).ToArray();
        rates.Select(rate => rate.Expected).Should().BeInDescendingOrder();
        rates.Should().AllSatisfy(rate => rate.Expected.Should().BeInRange(rate.Low, rate.High));
        rates.Should().AllSatisfy(rate => new[] { rate.Low, rate.High }.Should().AllSatisfy(share => share.Should().BeInRange(0, 1)));
        model.RejectRate(-1).Should().Be((1, 1, 1));
        model.RejectRate(model.Threshold(0.1)).Low.Should().Be(0, "no share is likelier than the smallest");
        var often = model.RejectRate(model.Threshold(0.1) / 2);
        often.Expected.Should().BeInRange(0.8, 0.999);
        often.High.Should().Be(1);
        model.RejectRate(float.NaN).Should().Be((double.NaN, 0, 1));
        FluentActions.Invoking(() => model.Threshold(0)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => model.Threshold(0.6)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Fit_FewImages_StatesWhatItExpectsAndFindsDefects(int count)
    {
        using var model = KagPromptTrainer.Fit(
            Enumerable.Range(0, count).Select(i => new TrainingImage { Image = TestImages.Part(100, 90, i) }),
            new FitChoices { Backbone = "resnet18", Epochs = 0, ImageSize = 112 });
        var calibration = model.CalibrationOf("object");
        calibration.ScoreModel.Should().NotBeNull();
        calibration.Threshold.Should().Be(calibration.ScoreModel!.Threshold(model.Options.Threshold.FalseRejectRate));
        calibration.NormalScores.Should().HaveCount(count == 1 ? 0 : count);
        var (expected, low, high) = calibration.FalseRejectRate;
        if (count < 3)
        {
            expected.Should().BeInRange((count == 1 ? 2 : 1.3) * model.Options.Threshold.FalseRejectRate, 0.5, "the place may be far off, and that is said");
            (high - low).Should().BeGreaterThan(2 * expected);
        }
        else
        {
            expected.Should().BeApproximately(model.Options.Threshold.FalseRejectRate, 1e-4);
        }

        calibration.ProbabilityOf(calibration.Threshold).Should().Be(0.5f);
        calibration.Explanation.Should().Contain("% of the synthetic defects").And.Contain("% of normal parts");
        calibration.SyntheticDefectsFound.Should().Be(
            calibration.SyntheticScores.Count(score => score > calibration.Threshold) / (double)calibration.SyntheticScores.Count);
        using var moved = KagPromptTrainer.Recalibrate(model, 0.3f);
        moved.CalibrationOf("object").Threshold.Should().Be(calibration.ScoreModel.Threshold(0.3f)).And.BeLessThan(calibration.Threshold);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        using var loaded = KagPromptModel.Load(stream);
        loaded.CalibrationOf("object").ScoreModel.Should().Be(calibration.ScoreModel);
    }

    private static double Gauss(Random random)
        => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double Tail(double z) => 1 - MathNet.Numerics.Distributions.Normal.CDF(0, 1, z);

    private static double Square(double value) => value * value;
}
