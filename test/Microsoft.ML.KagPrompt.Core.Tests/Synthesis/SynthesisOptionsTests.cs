using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Synthesis;

public class SynthesisOptionsTests
{
    [Fact]
    public void Validate_SeveralFaults_NamesThemAll()
    {
        var options = new SynthesisOptions { MinHeight = 0.5, MaxHeight = 0.4, LogisticSteepness = 0, MaxPatches = 0 };

        var act = options.Validate;

        act.Should().Throw<ArgumentException>().WithMessage("*3 invalid*MinHeight*LogisticSteepness*MaxPatches*");
    }

    [Fact]
    public void MvtecAd_EveryRow_IsValid()
    {
        SynthesisOptions.MvtecAd.Should().HaveCount(15);
        foreach (var row in SynthesisOptions.MvtecAd.Values)
        {
            row.Validate();
        }
    }

    [Fact]
    public void For_TableWithTheName_TakesItsRow()
    {
        var options = SynthesisOptions.For("Metal_nut", SynthesisOptions.MvtecAd, [TestPictures.Noise(32, 32, seed: 1)]);

        options.Should().Be(new SynthesisOptions { LogisticSteepness = 1.0 / 3, LogisticMidpoint = 7, Background = 20, MinScale = 0.7, MaxScale = 1.3 });
    }

    [Fact]
    public void For_BackgroundThatDoesNotShowTheProduct_DropsTheBackground()
    {
        var options = SynthesisOptions.For("pill", SynthesisOptions.MvtecAd, [TestPictures.Plain(32, 32, 20)]);

        options.Background.Should().BeNull();
        options.MaxHeight.Should().Be(0.2);
    }

    [Fact]
    public void For_NameOfAnMvtecProductWithoutTheTable_IsLikeAnyOther()
    {
        PixelBuffer[] normals = [TestPictures.Noise(32, 32, seed: 1)];

        SynthesisOptions.For("tile", new Dictionary<string, SynthesisOptions>(), normals).Should().Be(SynthesisOptions.FitTo(normals));
    }

    [Fact]
    public void For_Region_FitsToWhatIsInspected()
    {
        // A quarter is as the whole of another picture; the rest is plain, as images are outside their region.
        var inside = Enumerable.Range(0, 64 * 64).Select(p => p % 64 < 32 && p / 64 < 32).ToArray();
        var region = new SquareRegion(64, inside, [90, 90, 90]);
        var noise = TestPictures.Noise(64, 64, seed: 1);
        var quarter = new PixelBuffer(32, 32, [.. noise.Rgb.Where((_, i) => inside[i / 3]).Select(value => (byte)(120 + (value / 12)))]);
        var dim = new PixelBuffer(64, 64, [.. noise.Rgb.Select(value => (byte)(120 + (value / 12)))]);
        SynthesisOptions.For("tile", new Dictionary<string, SynthesisOptions>(), [region.Cut(dim)], region).Should().Be(SynthesisOptions.FitTo([quarter]));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(8, 8)]
    [InlineData(60, 13.8)]
    public void FitTo_Product_StartsTheMaskAtTheLocalContrast(int deviation, double visibleChange)
    {
        // Grey levels 128 ± deviation in a checkerboard: every window deviates by nearly that.
        var rgb = new byte[3 * 64 * 64];
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)(128 + ((i / 3 % 64) + (i / 3 / 64)) % 2 * 2 * deviation - deviation);
        }

        var options = SynthesisOptions.FitTo([new PixelBuffer(64, 64, rgb)]);

        var label = 1 / (1 + Math.Exp(-options.LogisticSteepness * (visibleChange - options.LogisticMidpoint)));
        label.Should().BeApproximately(0.3, 0.01);
        options.Validate();
    }

    [Fact]
    public void FitTo_NoImages_Throws()
    {
        var act = () => SynthesisOptions.FitTo([]);

        act.Should().Throw<ArgumentException>();
    }
}
