using Microsoft.ML.KagPrompt.Calibration;

namespace Microsoft.ML.KagPrompt.Tests.Calibration;

public class ForeignLimitTests
{
    [Fact]
    public void Place_MoreImages_LiesBetweenNormalAndBlankAndComesNearerToTheNormalOnes()
    {
        var limits = new[] { 1, 2, 4, 8, 16, 500 }.Select(images => ForeignLimit.Place([0.02f, 0.04f, 0.03f], images, 0.2f)).ToArray();
        limits.Should().BeInDescendingOrder().And.OnlyContain(limit => limit > 0.04f && limit < 0.2f);
        limits[0].Should().BeGreaterThan(limits[^1]);
        limits[^1].Should().BeApproximately(MathF.Sqrt(0.04f * 0.2f), 1e-6f, "half-way, by ratio");
    }

    [Fact]
    public void Place_OtherScale_MovesAlong()
        => ForeignLimit.Place([0.2f, 0.4f], 2, 2).Should().BeApproximately(10 * ForeignLimit.Place([0.02f, 0.04f], 2, 0.2f), 1e-5f);

    [Fact]
    public void Place_NormalsAsFarApartAsABlankFrame_IsNotTold()
        => ForeignLimit.Place([0.02f, 0.21f], 2, 0.2f).Should().Be(float.NaN);

    [Fact]
    public void Place_SupportsAllButTheSame_LeavesRoomForTheNextImage()
        => ForeignLimit.Place([0, 0, 0], 3, 0.2f).Should().BeGreaterThan(0.05f);
}
