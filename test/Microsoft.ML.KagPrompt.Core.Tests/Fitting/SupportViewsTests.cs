using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Fitting;

/// <summary>As which pictures a support enters the bank: asked with the pictures themselves.</summary>
public class SupportViewsTests
{
    private const int Side = 112;

    private static readonly PixelBuffer Support = TestImages.Noise(Side, Side, 3);

    [Theory]
    [InlineData(SupportViews.AsGiven, false, 0, true)]
    [InlineData(SupportViews.AsGiven, false, 1, false)]
    [InlineData(SupportViews.AsGiven, true, 0, false)]
    [InlineData(SupportViews.Turned, false, 3, true)]
    [InlineData(SupportViews.Turned, true, 0, false)]
    [InlineData(SupportViews.TurnedAndMirrored, false, 2, true)]
    [InlineData(SupportViews.TurnedAndMirrored, true, 0, true)]
    [InlineData(SupportViews.TurnedAndMirrored, true, 1, true)]
    public void Fit_Views_AreKnown(SupportViews views, bool isMirrored, int turns, bool isKnown)
    {
        using var model = Fit(views, share: 1);
        var seen = (isMirrored ? Support.Mirrored() : Support).Rotate90(turns);
        var score = model.Inspect([seen], [null])[0].Score;
        if (isKnown)
        {
            score.Should().BeLessThan(1e-4f);
        }
        else
        {
            score.Should().BeGreaterThan(0.01f);
        }
    }

    [Fact]
    public void Fit_ShareOfViews_KeepsThePictureAndThatShareOfTheOthers()
    {
        using var model = Fit(SupportViews.TurnedAndMirrored, share: 0.25f);
        var cells = Side / 8 * (Side / 8);
        var bank = ((KagReference)model.Classes["object"].Reference.Value).Bank!;
        bank.Layers.Should().AllSatisfy(layer => layer.shape[0].Should().BeInRange((long)(cells * (1 + (7 * 0.2))), (long)(cells * (1 + (7 * 0.3)))));
        model.Inspect([Support], [null])[0].Score.Should().BeLessThan(1e-4f, "all of the picture as it is was kept");
        model.Inspect([Support.Mirrored()], [null])[0].Score.Should().BeGreaterThan(1e-3f, "of the mirrored one a quarter");
        using var again = Fit(SupportViews.TurnedAndMirrored, share: 0.25f);
        var same = ((KagReference)again.Classes["object"].Reference.Value).Bank!;
        same.Layers[0].eq(bank.Layers[0]).all().ToBoolean().Should().BeTrue("the same seed draws the same");
    }

    [Fact]
    public void Mirrored_Picture_RunsItsColumnsTheOtherWay()
    {
        var picture = TestImages.Noise(5, 3, 1);
        var mirrored = picture.Mirrored();
        mirrored.Rgb.AsSpan(3 * ((2 * 5) + 1), 3).ToArray().Should().Equal(picture.Rgb.AsSpan(3 * ((2 * 5) + 3), 3).ToArray());
        mirrored.Mirrored().Rgb.Should().Equal(picture.Rgb);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1.1f)]
    [InlineData(float.NaN)]
    public void Validate_ShareOutOfRange_IsRefused(float share)
        => FluentActions.Invoking(() => Fit(SupportViews.Turned, share)).Should().Throw<ArgumentException>().WithMessage("*Memory.ViewShare*above 0 to 1*");

    private static KagPromptModel Fit(SupportViews views, float share)
    {
        InspectionOptions options = new FitChoices { Backbone = "resnet18", Epochs = 0, ImageSize = Side, Seed = 4 };
        return KagPromptTrainer.Fit([new TrainingImage { Image = Support }],
            options with { Method = options.Method with { Memory = new() { Views = views, ViewShare = share } } });
    }
}
