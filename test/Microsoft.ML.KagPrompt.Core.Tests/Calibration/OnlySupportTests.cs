using Microsoft.ML.KagPrompt.Calibration;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Calibration;

/// <summary>What one photograph is held against, by other ways to the same.</summary>
public class OnlySupportTests
{
    private const int Side = 112;

    [Fact]
    public void References_FirstOne_KnowsTheViewsAndNotThePicture()
    {
        // With every patch of every view kept, a model of the seven turned and mirrored pictures says the same.
        var image = TestImages.Part(Side, Side, 3);
        PixelBuffer[] views =
            [.. Enumerable.Range(1, 3).Select(image.Rotate90), .. Enumerable.Range(0, 4).Select(image.Mirrored().Rotate90)];
        using var model = Fitted([image], new() { ViewShare = 1 });
        using var others = Fitted(views, new() { Views = SupportViews.AsGiven });
        Scores(model, image)[0].Should().BeApproximately(others.Inspect([image], [null])[0].Score, 1e-5f).And.BeGreaterThan(0.01f);
    }

    [Fact]
    public void References_Halves_KnowTheOtherHalf()
    {
        var image = TestImages.Part(Side, Side, 3);
        using var model = Fitted([image], new() { Views = SupportViews.AsGiven });
        var references = References(model, image);
        long[][] rows =
            [.. references.Select(reference => ((KagReference)reference).Bank!.Layers.Select(layer => layer.shape[0]).ToArray())];
        var whole = ((KagReference)model.Classes.Single().Value.Reference.Value).Bank!.Layers.Select(layer => layer.shape[0]).ToArray();
        references.Should().HaveCount(5);
        for (var half = 0; half < 4; half++)
        {
            var inside = references[1 + half].Region!.Square.Inside;
            inside.Should().Equal(Enumerable.Range(0, Side * Side).Select(p => half switch
            {
                0 => p % Side < Side / 2,
                1 => p % Side >= Side / 2,
                2 => p / Side < Side / 2,
                _ => p / Side >= Side / 2,
            }));
            rows[1 + half].Zip(rows[1 + (half ^ 1)], (one, other) => one + other).Should().Equal(whole, $"half {half}");
        }

        references.ForEach(reference => reference.Dispose());
    }

    [Fact]
    public void References_PictureThatIsTwiceTheSameSideBySide_IsKnownToItsLeftAndRightHalves()
    {
        var part = TestImages.Part(Side / 2, Side, 3);
        var rgb = new byte[3 * Side * Side];
        for (var row = 0; row < 2 * Side; row++)
        {
            part.Rgb.AsSpan(row / 2 * part.Width * 3, part.Width * 3).CopyTo(rgb.AsSpan(row * part.Width * 3));
        }

        var image = new PixelBuffer(Side, Side, rgb);
        using var model = Fitted([image], new());
        var scores = Scores(model, image);
        scores[1..3].Max().Should().BeLessThan(scores[3..].Min());
    }

    [Fact]
    public void Fit_RegionOfOneHalf_IsHeldAgainstWhatTheRegionLeaves()
    {
        var region = InspectionRegion.FromShares([[(0, 0), (0.4, 0), (0.4, 1), (0, 1)]]);
        var image = TestImages.Part(Side, Side, 3);
        using var model = Fitted([image], new(), region);
        // Nothing is left of the right half: neither it nor what would be held against it.
        model.CalibrationOf("object").Threshold.Should().BeGreaterThan(0);
        model.CalibrationOf("object").Method.Should().Contain("the only normal image");
    }

    private static KagPromptModel Fitted(IEnumerable<PixelBuffer> images, MemoryOptions memory, InspectionRegion? region = null)
        => KagPromptTrainer.Fit(images.Select(image => new TrainingImage { Image = image }), new InspectionOptions
        {
            Images = new() { Size = Side },
            Method = new KagOptions { Memory = memory, Coreset = CoresetOptions.Off, Fusion = new() { NearWeight = 0 } },
            Regions = region is null ? new Dictionary<string, InspectionRegion>() : new() { ["object"] = region },
        });

    private static List<ClassReference> References(KagPromptModel model, PixelBuffer square)
    {
        var (name, state) = model.Classes.Single();
        using var features = model.Network.Encode([square]);
        return [.. OnlySupport.References(model.Network, new ProductImage(square, name), features, state.Reference.Value, 0)];
    }

    private static float[] Scores(KagPromptModel model, PixelBuffer square)
    {
        using var features = model.Network.Encode([square]);
        return [.. References(model, square).Select(reference =>
        {
            using (reference)
            using (var scored = model.Network.Score(features, reference))
            {
                return scored.Scores.item<float>();
            }
        })];
    }
}
