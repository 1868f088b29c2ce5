using FluentAssertions;
using Microsoft.ML.KagPrompt.Imaging;
using Xunit;

namespace Microsoft.ML.KagPrompt.Reporting;

public sealed class HeatmapRendererTests
{
    [Fact]
    public void Color_FromLowToHigh_GrowsBrighter()
    {
        float Luma(float value)
        {
            var (r, g, b) = HeatmapRenderer.Color(value);
            return (0.299f * r) + (0.587f * g) + (0.114f * b);
        }

        var lumas = Enumerable.Range(0, 101).Select(i => Luma(i / 100f)).ToArray();

        lumas.Should().BeInAscendingOrder();
        HeatmapRenderer.Color(-3).Should().Be(HeatmapRenderer.Color(0));
        HeatmapRenderer.Color(3).Should().Be(HeatmapRenderer.Color(1));
    }

    [Fact]
    public void Draw_OfRange_UsesDarkestAndBrightestAtItsEnds()
    {
        var picture = HeatmapRenderer.Draw([2f, 4f, 3f, 9f], 2, 2, low: 2, high: 4);

        Pixel(picture, 0).Should().Be(HeatmapRenderer.Color(0));
        Pixel(picture, 1).Should().Be(HeatmapRenderer.Color(1));
        Pixel(picture, 2).Should().Be(HeatmapRenderer.Color(0.5f));
        Pixel(picture, 3).Should().Be(HeatmapRenderer.Color(1));
    }

    [Fact]
    public void Draw_NotInspected_IsGrey()
    {
        var (r, g, b) = Pixel(HeatmapRenderer.Draw([float.NaN], 1, 1, 0, 1), 0);

        (r == g && g == b && r > 0).Should().BeTrue();
    }

    [Fact]
    public void Overlay_WhereNothingIsFound_LeavesTheImage()
    {
        var image = TestPictures.Noise(5, 3, 1);

        var calm = HeatmapRenderer.Overlay(image, new float[15], 0, 1);
        var alarmed = HeatmapRenderer.Overlay(image, Enumerable.Repeat(1f, 15).ToArray(), 0, 1);

        calm.Rgb.Should().Equal(image.Rgb);
        var (r, g, b) = HeatmapRenderer.Color(1);
        var above = new[] { r, g, b };
        alarmed.Rgb.Should().Equal(image.Rgb.Select((below, i) => (byte)Math.Round(below + (0.75f * (above[i % 3] - below)))));
    }

    [Fact]
    public void Overlay_MapOfAnotherSize_SaysBothSizes()
    {
        var draw = () => HeatmapRenderer.Overlay(TestPictures.Plain(4, 4, 9), new float[15], 0, 1);

        draw.Should().Throw<ArgumentException>().WithMessage("*4 x 4*15*");
    }

    private static (byte R, byte G, byte B) Pixel(PixelBuffer picture, int p) => (picture.Rgb[3 * p], picture.Rgb[(3 * p) + 1], picture.Rgb[(3 * p) + 2]);
}
