using FluentAssertions;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using Xunit;

namespace Microsoft.ML.KagPrompt.Reporting.Tests;

public sealed class HeatmapRendererTests
{
    private static readonly ThresholdCalibration Calibration = new() { Method = "", Threshold = 9, MapThreshold = 0.5f, Scale = 0.1f, SupportImages = 1, NormalScores = [] };

    [Fact]
    public void Draw_Values_AreDarkestAndBrightestAtTheScalesEnds()
    {
        var picture = HeatmapRenderer.Draw([2f, 4f, 3f, 9f], 2, 2, MapScale.Between(2, 4));

        Pixel(picture, 0).Should().Be(ColorRamp.Color(0));
        Pixel(picture, 1).Should().Be(ColorRamp.Color(1));
        Difference(Pixel(picture, 2), ColorRamp.Color(0.5f)).Should().BeLessThan(4);
        Pixel(picture, 3).Should().Be(ColorRamp.Color(1));
    }

    [Fact]
    public void Overlay_Opacity_FollowsTheChanceOfADefect()
    {
        var scale = MapScale.ForCalibration(Calibration);
        foreach (var value in (float[])[0.3f, 0.45f, 0.5f, 0.6f, 0.9f])
        {
            var chance = Calibration.ProbabilityOfMap(value);
            scale.Chance(value).Should().Be(chance);
            scale.Opacity(value).Should().BeApproximately(0.6f * chance, 1e-6f);

            // The middle of a uniform picture, away from outlines.
            var (r, g, b) = Pixel(HeatmapRenderer.Overlay(TestPictures.Plain(5, 5, 100), Enumerable.Repeat(value, 25).ToArray(), scale), 12);
            var (red, green, blue) = ColorRamp.Color(scale.Position(value));
            var opacity = 0.6f * Math.Clamp(chance, 0.01f, 0.99f);
            Difference((r, g, b), (Mixed(red), Mixed(green), Mixed(blue))).Should().BeLessThan(8);
            byte Mixed(byte above) => (byte)Math.Round(100 + (opacity * (above - 100)));
        }
    }

    [Fact]
    public void Overlay_NothingFound_LeavesTheImage()
    {
        var image = TestPictures.Noise(5, 3, 1);

        HeatmapRenderer.Overlay(image, new float[15], MapScale.ForCalibration(Calibration)).Rgb.Should().Equal(image.Rgb);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(128)]
    [InlineData(255)]
    public void Overlay_Contour_ShowsOnAnyGrey(byte grey)
    {
        var map = Enumerable.Range(0, 81).Select(p => p % 9 is >= 3 and <= 5 && p / 9 is >= 3 and <= 5 ? 0.6f : 0f).ToArray();

        var picture = HeatmapRenderer.Overlay(TestPictures.Plain(9, 9, grey), map, MapScale.ForCalibration(Calibration));

        Pixel(picture, (3 * 9) + 4).Should().Be(((byte)255, (byte)255, (byte)255), "a white line is inside");
        Pixel(picture, (2 * 9) + 4).R.Should().BeLessThan(80, "and a dark one outside");
        Pixel(picture, (1 * 9) + 4).Should().Be((grey, grey, grey));
    }

    [Fact]
    public void Overlay_Truth_IsOutlinedInItsOwnColour()
    {
        var truth = Enumerable.Range(0, 81).Select(p => p % 9 is >= 3 and <= 5 && p / 9 is >= 3 and <= 5).ToArray();

        var picture = HeatmapRenderer.Overlay(TestPictures.Plain(9, 9, 128), new float[81], MapScale.ForCalibration(Calibration), truth);

        Pixel(picture, (3 * 9) + 4).Should().Be(MapLayer.TruthColor);
        Pixel(picture, (4 * 9) + 4).Should().Be(((byte)128, (byte)128, (byte)128));
    }

    [Fact]
    public void Draw_NotInspected_IsHatchedGreyAndWithoutContour()
    {
        var picture = HeatmapRenderer.Draw(Enumerable.Repeat(float.NaN, 144).ToArray(), 12, 12, MapScale.ForCalibration(Calibration));

        Enumerable.Range(0, 144).Select(p => Pixel(picture, p)).Distinct().Should().BeEquivalentTo([MapLayer.DarkStripe, MapLayer.LightStripe]);
    }

    [Fact]
    public void Overlay_MapOfAnotherSize_SaysBothSizes()
    {
        var scale = MapScale.ForCalibration(Calibration);

        FluentActions.Invoking(() => HeatmapRenderer.Overlay(TestPictures.Plain(4, 4, 9), new float[15], scale)).Should().Throw<ArgumentException>().WithMessage("*4 x 4*15*");
        FluentActions.Invoking(() => HeatmapRenderer.Overlay(TestPictures.Plain(4, 4, 9), new float[16], scale, new bool[15])).Should().Throw<ArgumentException>().WithMessage("*4 x 4*15*");
    }

    [Theory]
    [InlineData(0.5f, float.NaN, 0, 1)]
    [InlineData(0.5f, 0f, 0, 1)]
    [InlineData(float.NaN, 0.1f, 0, 1)]
    [InlineData(-1f, float.NaN, 0, 1)]
    public void Of_CalibrationThatCannotTellChances_StillGivesAScale(float threshold, float spread, float low, float high)
    {
        var scale = MapScale.ForCalibration(Calibration with { MapThreshold = threshold, Scale = spread });

        (scale.Low, scale.High).Should().Be((low, high));
        scale.Chance(0.4f).Should().Be(float.NaN);
        scale.Opacity(1).Should().BeApproximately(0.6f, 1e-6f);
    }

    [Fact]
    public void Of_CalibrationWithDefects_IsBrightestAtATypicalOne()
    {
        var scale = MapScale.ForCalibration(Calibration with { Threshold = 0.4f, Scale = 0.02f, SyntheticScores = [0.5f, 1.0f, 3f] });

        scale.High.Should().BeApproximately(0.5f + (1.0f - 0.4f), 1e-6f, "as far above the map's threshold as the median is above the score's");
        scale.Position(scale.Threshold).Should().BeApproximately(1 / 3f, 1e-5f);
        MapScale.ForCalibration(Calibration with { MapThreshold = 0.1f, Scale = 0.05f }).Low.Should().Be(0, "maps are not negative");
    }

    private static (byte R, byte G, byte B) Pixel(PixelBuffer picture, int p) => (picture.Rgb[3 * p], picture.Rgb[(3 * p) + 1], picture.Rgb[(3 * p) + 2]);

    private static int Difference((byte R, byte G, byte B) one, (byte R, byte G, byte B) other)
        => Math.Abs(one.R - other.R) + Math.Abs(one.G - other.G) + Math.Abs(one.B - other.B);
}
