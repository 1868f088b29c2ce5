using FluentAssertions;
using Xunit;

namespace Microsoft.ML.KagPrompt.Reporting.Tests;

public sealed class ColorRampTests
{
    [Fact]
    public void Color_EqualSteps_LookEqual()
    {
        var colours = Enumerable.Range(0, 18).Select(i => Lab(i / 17f)).ToArray(); // whole steps of the table
        var distances = colours.Zip(colours.Skip(1), (a, b) => a.DistanceTo(b)).ToArray();

        distances.Min().Should().BeGreaterThan(0.9 * distances.Average());
        distances.Max().Should().BeLessThan(1.1 * distances.Average());
    }

    [Fact]
    public void Color_FromLowToHigh_GrowsLighter()
    {
        var lightness = Enumerable.Range(0, 65).Select(i => Lab(i / 64f).L).ToArray();

        lightness.Zip(lightness.Skip(1)).Should().OnlyContain(pair => pair.Second > pair.First);
        lightness[0].Should().BeLessThan(3);
        lightness[^1].Should().BeGreaterThan(95);
    }

    [Fact]
    public void Color_BeyondItsEnds_IsClamped()
    {
        ColorRamp.Color(-3).Should().Be(ColorRamp.Color(0));
        ColorRamp.Color(3).Should().Be(ColorRamp.Color(1));
        ColorRamp.Color(float.NaN).Should().Be(ColorRamp.Color(0));
    }

    /// <summary>Values of the CIE's formulas for well-known colours (D65).</summary>
    [Theory]
    [InlineData(255, 255, 255, 100, 0, 0)]
    [InlineData(0, 0, 0, 0, 0, 0)]
    [InlineData(255, 0, 0, 53.24, 80.09, 67.20)]
    [InlineData(0, 255, 0, 87.73, -86.18, 83.18)]
    [InlineData(0, 0, 255, 32.30, 79.19, -107.86)]
    [InlineData(119, 119, 119, 50.03, 0, 0)]
    public void OfRgb_KnownColour_HasItsLab(byte r, byte g, byte b, double l, double a, double bb)
    {
        var lab = LabColor.OfRgb(r, g, b);

        lab.L.Should().BeApproximately(l, 0.02);
        lab.A.Should().BeApproximately(a, 0.02);
        lab.B.Should().BeApproximately(bb, 0.02);
        lab.ToRgb().Should().Be((r, g, b));
    }

    private static LabColor Lab(float position)
    {
        var (r, g, b) = ColorRamp.Color(position);
        return LabColor.OfRgb(r, g, b);
    }
}
