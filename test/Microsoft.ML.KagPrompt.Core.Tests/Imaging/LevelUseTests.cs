using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Imaging;

public sealed class LevelUseTests
{
    [Theory]
    [InlineData(3, 16, "use 4 of 256 levels (0 to 3)*16-bit*")]
    [InlineData(15, 16, "use 16 of 256 levels*")]
    [InlineData(40, 8, "use 41 of 256 levels*Light or scale*")]
    public void Warning_DarkPhotographs_SaysHowManyLevels(byte highest, int bits, string message)
    {
        var levels = new LevelUse();
        levels.Add(new PixelBuffer(1, 1, [0, 1, 2]), bits);
        levels.Add(new PixelBuffer(1, 1, [0, highest, 1]), bits);
        levels.Warning.Should().Match("*2 photographs*" + message);
    }

    [Fact]
    public void Warning_OneOrdinaryPhotograph_IsNone()
    {
        var levels = new LevelUse();
        levels.Warning.Should().BeNull("there is none yet");
        levels.Add(new PixelBuffer(1, 1, [0, 1, 2]), 8);
        levels.Add(new PixelBuffer(1, 1, [0, 64, 2]), 8);
        levels.Warning.Should().BeNull();
    }
}
