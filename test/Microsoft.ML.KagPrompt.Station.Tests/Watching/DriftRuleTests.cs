using Microsoft.ML.KagPrompt.Station.Pictures;
using Microsoft.ML.KagPrompt.Station.Watching;

namespace Microsoft.ML.KagPrompt.Station.Tests.Watching;

public sealed class DriftRuleTests
{
    private static readonly double[] Reference = [100, 101, 99, 100, 102];

    [Fact]
    public void Find_ALampThatGrowsDim_IsTold()
    {
        var drift = DriftRule.Find(DriftKind.Brightness, Some(80), Reference);
        drift.Should().Be(new Drift(DriftKind.Brightness, 80, 100));
        DriftRule.Find(DriftKind.Brightness, Some(91), Reference).Should().BeNull("it is within four spreads of three levels");
    }

    [Fact]
    public void Find_AThirdOfBlackPictures_IsNoDrift()
        => DriftRule.Find(DriftKind.Brightness, [.. Some(100, 34), .. Some(0, 16)], Reference).Should().BeNull();

    [Fact]
    public void Find_ReferenceThatVaries_AllowsMore()
        => DriftRule.Find(DriftKind.Brightness, Some(80), [60, 100, 140, 90, 110]).Should().BeNull();

    [Fact]
    public void Find_TooFewPictures_SaysNothing()
        => DriftRule.Find(DriftKind.Brightness, Some(0, DriftRule.FewestRecent - 1), Reference).Should().BeNull();

    [Fact]
    public void PictureMeasure_OfABlurredPicture_IsLessSharp_AndAsBright()
    {
        var (picture, _) = QuickStart.PartRenderer.Render(1, null);
        var blurred = Blurred(picture);
        PictureMeasure.Compute(blurred).Brightness.Should().BeApproximately(PictureMeasure.Compute(picture).Brightness, 1);
        PictureMeasure.Compute(blurred).Sharpness.Should().BeLessThan(0.6 * PictureMeasure.Compute(picture).Sharpness);
    }

    private static double[] Some(double value, int count = 50) => [.. Enumerable.Repeat(value, count)];

    private static PixelBuffer Blurred(PixelBuffer picture)
    {
        var (width, rgb) = (picture.Width, picture.Rgb.ToArray());
        for (var p = 3 * (width + 1); p < rgb.Length - (3 * (width + 1)); p++)
        {
            rgb[p] = (byte)(((int[])[-1, 0, 1]).SelectMany(y => ((int[])[-1, 0, 1])
                .Select(x => (int)picture.Rgb[p + (3 * ((y * width) + x))])).Average());
        }

        return new PixelBuffer(width, picture.Height, rgb);
    }
}
