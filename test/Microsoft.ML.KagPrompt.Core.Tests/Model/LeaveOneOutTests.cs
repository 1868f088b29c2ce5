using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>A fit's normal scores against models that were fitted without the image in question.</summary>
public class LeaveOneOutTests
{
    private const int Side = 56;
    private const int Seed = 5;

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, true, true)]
    public void NormalAndSyntheticScores_OfAFit_AreThoseOfModelsFittedOnTheOthers(bool bankAlone, bool rotated, bool thinned)
    {
        var parts = Enumerable.Range(0, 4).Select(i => TestImages.Part(Side, Side, i)).ToArray();
        var options = new FitChoices { Epochs = 0, FromScratch = bankAlone, RotateSupports = rotated, ImageSize = Side, Seed = Seed };
        // Each support keeps as much of itself beside two others as beside three.
        InspectionOptions Kept(int pictures) => thinned ? options with { Coreset = new() { Pictures = pictures } } : options;
        using var model = Fit(parts, Kept(4));
        var synthesizer = new NsaSynthesizer(SynthesisOptions.FitTo(parts));
        var (normal, synthetic) = (new List<float>(), new List<float>());
        for (var left = 0; left < parts.Length; left++)
        {
            using var others = Fit([.. parts.Where((_, i) => i != left)], Kept(3));
            // Eight synthetic defects in all.
            var random = new Random((Seed * 397) ^ left);
            var twins = Enumerable.Range(0, 2).Select(_ => synthesizer.Synthesize(parts[left], parts[(left + 1) % parts.Length], random)).Where(twin => twin.HasDefect);
            PixelBuffer[] images = [parts[left], .. twins.Select(twin => twin.Image)];
            var scores = others.Inspect(images, new string?[images.Length]);
            normal.Add(scores[0].Score);
            synthetic.AddRange(scores.Skip(1).Select(score => score.Score));
        }

        var calibration = model.CalibrationOf("object");
        calibration.NormalScores.Should().Equal(normal.Order());
        calibration.SyntheticScores.Should().Equal(synthetic.Order());
        synthetic.Should().NotBeEmpty();
        // With itself in the bank an image scores lower: the equality above says something.
        model.Inspect(parts, new string?[parts.Length]).Average(inspection => inspection.Score).Should().BeLessThan(normal.Average() - 1e-3f);
    }

    private static KagPromptModel Fit(PixelBuffer[] parts, InspectionOptions options) => KagPromptTrainer.Fit(parts.Select(part => new TrainingImage { Image = part }), options);
}
