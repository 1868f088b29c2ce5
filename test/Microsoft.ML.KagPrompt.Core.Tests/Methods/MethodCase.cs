using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Methods;

/// <summary>What tests of methods as models have in common: parts, spots on them, saving and loading.</summary>
internal static class MethodCase
{
    /// <summary>Side of the parts.</summary>
    public const int Side = 112;

    /// <summary>Sound parts.</summary>
    public static TrainingImage[] Parts(int count)
        => [.. Enumerable.Range(0, count).Select(seed => new TrainingImage { Image = TestImages.Part(Side, Side, seed) })];

    /// <summary>A sound part that no model knows, or one with a dark square whose left edge is told, half way down.</summary>
    public static PixelBuffer Query(int? spot = null)
    {
        var part = TestImages.Part(Side, Side, 50);
        var rgb = (byte[])part.Rgb.Clone();
        for (var row = 44; row < 68 && spot is not null; row++)
        {
            rgb.AsSpan(3 * ((row * Side) + spot.Value), 3 * 24).Clear();
        }

        return new PixelBuffer(Side, Side, rgb);
    }

    public static KagPromptModel SavedAndLoaded(KagPromptModel model)
    {
        using var saved = new MemoryStream();
        model.Save(saved);
        saved.Position = 0;
        return KagPromptModel.Load(saved, "cpu");
    }

    /// <summary>Asserts that a loaded model says bit for bit what the saved one said.</summary>
    public static void ShouldInspectAlike(this KagPromptModel actual, KagPromptModel expected)
    {
        var (one, other) = (expected.Inspect(Query(44)), actual.Inspect(Query(44)));
        other.Score.Should().Be(one.Score);
        other.Map.Should().Equal(one.Map);
        other.Unlikeness.Should().Be(one.Unlikeness);
        float.IsFinite(one.Score).Should().BeTrue();
    }

    /// <summary>
    /// Asserts that a model of these options with a region, the right half, sees nothing of what lies to its left, in supports and queries.
    /// </summary>
    public static void ShouldSeeTheRegionAlone(InspectionOptions options)
    {
        var region = InspectionRegion.FromPolygons(Side, Side, [[(Side / 2, 0), (Side, 0), (Side, Side), (Side / 2, Side)]]);
        var regional = options with { Regions = new Dictionary<string, InspectionRegion> { ["object"] = region } };
        using var model = KagPromptTrainer.Fit(Parts(2), regional);
        using var other = KagPromptTrainer.Fit([Parts(1)[0], new TrainingImage { Image = Blackened(Parts(2)[1].Image) }], regional);

        var results = model.Inspect([Query(), Query(12), Query(76)], new string?[3]);

        results[1].Score.Should().BeApproximately(results[0].Score, 1e-6f);
        results[1].Map.Should().Equal(results[0].Map);
        results[2].Score.Should().BeGreaterThan(results[0].Score);
        results[0].Map.Index().Where(pixel => float.IsNaN(pixel.Item) != (pixel.Index % Side < Side / 2)).Should().BeEmpty();
        other.Inspect(Query(76)).Score.Should().BeApproximately(results[2].Score, 1e-6f);
    }

    private static PixelBuffer Blackened(PixelBuffer part)
    {
        var rgb = (byte[])part.Rgb.Clone();
        for (var row = 0; row < Side; row++)
        {
            rgb.AsSpan(3 * row * Side, 3 * ((Side / 2) - 1)).Clear();
        }

        return new PixelBuffer(Side, Side, rgb);
    }
}
