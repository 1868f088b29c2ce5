using FluentAssertions;
using Microsoft.ML.KagPrompt.Imaging;
using Xunit;

namespace Microsoft.ML.KagPrompt.Reporting.Tests;

public sealed class LegendRendererTests
{
    [Theory]
    [InlineData(112)]
    [InlineData(225)]
    [InlineData(448)]
    public void Draw_AnyHeight_ShowsTheWholeRampAndTheNumbers(int height)
    {
        var legend = LegendRenderer.Draw(MapScale.Between(0, 1, 0.25f), height);

        legend.Height.Should().Be(height);
        var colours = Enumerable.Range(0, legend.Width * height).Select(p => (legend.Rgb[3 * p], legend.Rgb[(3 * p) + 1], legend.Rgb[(3 * p) + 2])).ToHashSet();
        colours.Should().Contain(ColorRamp.Color(0)).And.Contain(ColorRamp.Color(1)).And.Contain(MapLayer.LightStripe);
    }

    [Fact]
    public void Draw_TooLow_Says()
        => FluentActions.Invoking(() => LegendRenderer.Draw(MapScale.Between(0, 1), 50)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("*112*");

    [Fact]
    public void Font_HasEveryLetterOfTheLegend()
    {
        foreach (var letter in "value chance threshold not inspected 0123456789.%-".Where(letter => letter != ' '))
        {
            Enumerable.Range(0, 5 * BitmapFont.Height).Any(p => BitmapFont.IsSet($"{letter}", p % 5, p / 5)).Should().BeTrue($"'{letter}' is drawn");
        }
    }
}
