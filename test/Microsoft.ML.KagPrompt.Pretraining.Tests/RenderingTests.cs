using Microsoft.ML.KagPrompt.Pretraining.Rendering;

namespace Microsoft.ML.KagPrompt.Pretraining.Tests;

public class RenderingTests
{
    private const int Side = 112;

    [Fact]
    public void Views_SameSeed_AreTheSamePictures()
    {
        var (first, again, other) = (ProductRenderer.Views(21, 2, Side), ProductRenderer.Views(21, 2, Side), ProductRenderer.Views(22, 1, Side));
        again.Select(view => view.Rgb).Should().BeEquivalentTo(first.Select(view => view.Rgb), order => order.WithStrictOrdering());
        first[1].Rgb.Should().NotEqual(first[0].Rgb, "no two photographs of a product are the same");
        other[0].Rgb.Should().NotEqual(first[0].Rgb);
    }

    /// <summary>Where the mask says sound, the picture is as it was, but for changes nobody sees.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Damage_OfAView_ChangesWhatTheMaskMarks(int seed)
    {
        const int LeastChange = 6;
        var view = ProductRenderer.Views(seed, 1, Side)[0];
        var (image, mask) = ProductRenderer.Damage(view, new Random(seed));
        mask.Should().Contain(true).And.Contain(false);
        for (var i = 0; i < image.Rgb.Length; i++)
        {
            (mask[i / 3] || Math.Abs(image.Rgb[i] - view.Rgb[i]) < LeastChange).Should().BeTrue($"value {i} changed from {view.Rgb[i]} to {image.Rgb[i]}");
        }
    }

    [Fact]
    public void Scenes_OfManySeeds_AreSeeded()
    {
        var renderer = new SceneRenderer(Side);
        for (var seed = 0; seed < 6; seed++)
        {
            var (first, again) = (renderer.Render(seed, defective: seed % 2 == 0), renderer.Render(seed, defective: seed % 2 == 0));
            again.Rgb.Should().Equal(first.Rgb);
            (again.ClassName, again.IsDefective).Should().Be((first.ClassName, seed % 2 == 0));
            first.Rgb.Distinct().Count().Should().BeGreaterThan(8, "a picture shows something");
        }
    }
}
