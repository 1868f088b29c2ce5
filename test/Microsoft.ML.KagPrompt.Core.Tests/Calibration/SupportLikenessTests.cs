using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Calibration;

/// <summary>What a fit says of its own images.</summary>
public class SupportLikenessTests
{
    private static readonly FitChoices Bank = new() { Epochs = 0, FromScratch = true, ImageSize = 112, Device = "cpu" };

    [Fact]
    public void Fit_SoundDifferentImages_WarnsOfNothingButSaysWhereToLook()
    {
        var calibration = Fitted(Parts(6));
        calibration.Warnings.Should().BeEmpty();
        calibration.FarthestSupport.Should().Contain("part ");
        calibration.Explanation.Should().Contain(calibration.FarthestSupport);
        Fitted(Parts(3)).FarthestSupport.Should().BeNull("three cannot be compared");
    }

    [Fact]
    public void Fit_DefectAmongTheSupports_NamesIt()
    {
        var calibration = Fitted([.. Parts(7), new() { Image = TestImages.Part(90, 80, 50, defective: true), Origin = "planted" }]);
        calibration.Warnings.Should().ContainSingle().Which.Should().Contain("'planted'").And.Contain("free of defects");
        calibration.FarthestSupport.Should().Contain("'planted'");
        calibration.Explanation.Should().Contain(calibration.Warnings[0]);
    }

    [Fact]
    public void Fit_OtherThingAmongTheSupports_NamesItAndStillTellsForeignImages()
    {
        using var model = KagPromptTrainer.Fit([.. Parts(5), new() { Image = TestPictures.Plain(90, 80, 40), Origin = "empty" }], Bank);
        model.CalibrationOf("object").Warnings.Should().ContainSingle().Which.Should().Contain("'empty'").And.Contain("is it this part");
        var results = model.Inspect([TestPictures.Noise(90, 80, 1), TestImages.Part(90, 80, 70)], [null, null]);
        results.Select(result => result.IsForeign).Should().Equal(true, false);
    }

    [Fact]
    public void Fit_CopiesAmongTheSupports_DoNotDrawTheThresholdDown()
    {
        var parts = Enumerable.Range(0, 5).Select(i => new TrainingImage { Image = TestImages.Part(90, 80, i) }).ToArray();
        using var plain = KagPromptTrainer.Fit(parts[..4], Bank);
        using var doubled = KagPromptTrainer.Fit([.. parts[..4], parts[0], parts[1]], Bank);
        var calibration = doubled.CalibrationOf("object");
        calibration.NormalScores.Should().HaveCount(2, "two of six have no copy").And.OnlyContain(score => score > 1e-3f);
        calibration.Threshold.Should().BeGreaterThan(0.6f * plain.CalibrationOf("object").Threshold);
        using var copies = KagPromptTrainer.Fit(Enumerable.Repeat(parts[0], 3), Bank);
        copies.CalibrationOf("object").NormalScores.Should().BeEmpty();
        copies.CalibrationOf("object").Threshold.Should().BeGreaterThan(1e-3f, "a picture's own views and halves tell where the scale lies");
    }

    [Fact]
    public void Fit_SamePictureTwice_NamesBothAndPlacesTheLimitByTheOthers()
    {
        var parts = Parts(4).ToArray();
        var calibration = Fitted([.. parts, parts[1] with { Origin = "copy" }]);
        calibration.Warnings.Should().ContainSingle().Which.Should().Contain("'part 1', 'copy'").And.Contain("2 times");
        using var copies = KagPromptTrainer.Fit(Enumerable.Repeat(parts[0], 3), Bank);
        copies.CalibrationOf("object").Warnings.Should().ContainSingle().Which.Should().Contain("3 times");
        copies.Inspect([TestImages.Part(90, 80, 70)], [null])[0].IsForeign.Should().BeFalse("copies do not tell how the next part differs");
    }

    [Fact]
    public void Fit_NoOrigin_NamesTheImageByItsPlace()
        => Fitted([.. Parts(3), new() { Image = TestImages.Part(90, 80, 0) }]).Warnings
            .Should().ContainSingle().Which.Should().Contain("'part 0', no. 4");

    private static ThresholdCalibration Fitted(IEnumerable<TrainingImage> images)
    {
        using var model = KagPromptTrainer.Fit(images, Bank);
        return model.CalibrationOf("object");
    }

    private static IEnumerable<TrainingImage> Parts(int count)
        => Enumerable.Range(0, count).Select(i => new TrainingImage { Image = TestImages.Part(90, 80, i), Origin = $"part {i}" });
}
