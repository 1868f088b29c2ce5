using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;
using static Microsoft.ML.KagPrompt.Tests.Model.PartWithRegion;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>What lies outside a region changes nothing of a fit: not the bank, not the threshold; a region of no use is refused.</summary>
public class RegionFitTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Fit_SpotsOutsideTheRegion_GiveTheSameModel(int epochs)
    {
        var choices = Small with { Epochs = epochs, BatchSize = 16, ImageSize = 56 };
        using var clean = Fit(choices, Right);
        var supports = Supports.Select((support, i) => support with { Image = Spotted(i, 24, 30 + (25 * i)) });
        using var spotted = KagPromptTrainer.Fit(supports, With(choices, Right));
        var query = TestImages.Part(Width, Height, 21, defective: true);
        spotted.Inspect(query).Score.Should().BeApproximately(clean.Inspect(query).Score, 1e-5f);
        var (one, other) = (clean.CalibrationOf("object"), spotted.CalibrationOf("object"));
        other.Threshold.Should().BeApproximately(one.Threshold, 1e-5f);
        other.SyntheticScores.Should().HaveSameCount(one.SyntheticScores);
        other.UnlikenessLimit.Should().BeApproximately(one.UnlikenessLimit, 1e-5f);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fit_Region_KeepsThePatchesWhoseCentresLieInside(bool isTurned)
    {
        // An outline that no grid shares, drawn where no image is resized.
        bool[] inside = [.. Enumerable.Range(0, Side * Side).Select(p => (X: (p % Side) - 40, Y: (p / Side) - 70))
            .Select(p => (p.X * p.X) + (p.Y * p.Y) < 33 * 33)];
        var region = InspectionRegion.FromMask(Side, Side, [.. inside.Select(mark => (byte)(mark ? 255 : 0))]);
        var support = TestImages.Part(Side, Side, 4);
        var choices = Small with { FromScratch = true, RotateSupports = isTurned };
        using var model = KagPromptTrainer.Fit([new TrainingImage { Image = support }], With(choices, region));
        var info = model.Info();
        var blanked = new PixelBuffer(Side, Side, [.. support.Rgb.Select((value, i) => inside[i / 3] ? value
            : (byte)MathF.Round(255 * info.Mean[i % 3]))]);
        for (var tap = 0; tap < info.TapWidths.Count; tap++)
        {
            var rows = new List<float[]>();
            for (var turn = 0; turn < (isTurned ? 4 : 1); turn++)
            {
                using var features = model.Network.Encoder.Encode([blanked.Rotate90(turn)]);
                var grid = info.TapGrids(Side)[tap];
                for (var cell = 0; cell < grid.Rows * grid.Columns; cell++)
                {
                    var (y, x) = (Nearest(grid.FirstRow + (cell / grid.Columns * grid.RowStep)),
                        Nearest(grid.FirstColumn + (cell % grid.Columns * grid.ColumnStep)));
                    for (var back = 0; back < turn; back++)
                    {
                        // A quarter back: what is at the top now was at the left.
                        (x, y) = (y, Side - 1 - x);
                    }

                    if (inside[(y * Side) + x])
                    {
                        rows.Add(features.PatchTokens[tap][0][cell].data<float>().ToArray());
                    }
                }
            }

            var bank = model.Bank().Layers[tap];
            bank.shape[0].Should().Be(rows.Count).And.BeLessThan(64 * (isTurned ? 4 : 1));
            var lengths = rows.Select(row => MathF.Sqrt(row.Sum(value => value * value))).ToArray();
            rows.SelectMany((row, i) => row.Select(value => value / lengths[i]))
                .Zip(bank.data<float>().ToArray(), (expected, actual) => Math.Abs(expected - actual)).Max().Should().BeLessThan(1e-5f);
        }
    }

    [Fact]
    public void Fit_Region_PlacesTheThresholdByScoresInsideIt()
    {
        var supports = Supports.ToArray();
        var options = With(Small with { FromScratch = true, TopK = 224 * 224 }, Right);
        using var model = KagPromptTrainer.Fit(supports, options);
        var alone = supports.Select(support =>
        {
            using var others = KagPromptTrainer.Fit(supports.Where(other => other != support), options);
            return others.Inspect(support.Image).Score;
        }).Order().ToArray();
        var calibration = model.CalibrationOf("object");
        calibration.NormalScores.Order().Zip(alone, (score, expected) => Math.Abs(score - expected)).Max().Should().BeLessThan(1e-5f);
        calibration.MapThreshold.Should().BeApproximately(calibration.Threshold, 1e-5f, "the map alone makes the score");
    }

    [Fact]
    public void Fit_PictureAndPolygons_GiveTheSameModel()
    {
        byte[] mask = [.. Enumerable.Range(0, Width * Height)
            .Select(p => (byte)(p % Width is >= 56 and < 152 && p / Width is >= 8 and < 112 ? 255 : 0))];
        using var drawn = Fit(Small, Right);
        using var painted = Fit(Small, InspectionRegion.FromMask(Width, Height, mask));
        using (var one = new MemoryStream())
        using (var other = new MemoryStream())
        {
            drawn.Save(one);
            painted.Save(other);
            other.ToArray().Should().Equal(one.ToArray());
        }
    }

    [Fact]
    public void Fit_RegionOfNoUse_IsRefused()
    {
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Supports, (InspectionOptions)Small with { Regions = Regions("objects", Right) }))
            .Should().Throw<ArgumentException>().WithMessage("Regions['objects']*'object'*");
        var sliver = InspectionRegion.FromPolygons(Width, Height, [[(80, 0), (81, 0), (81, 120), (80, 120)]]);
        FluentActions.Invoking(() => Fit(Small, sliver)).Should().Throw<ArgumentException>()
            .WithMessage("Regions['object']*centre of a patch*Draw it larger*");
        var upright = InspectionRegion.FromPolygons(Height, Width, [], [[(0, 0), (9, 0), (9, 9)]]);
        FluentActions.Invoking(() => Fit(Small, upright)).Should().Throw<ImageReadException>()
            .WithMessage("An image of class 'object' has 160 x 120*120 x 160*");
        var shares = InspectionRegion.FromShares([], [[(0, 0), (0.1, 0), (0.1, 0.1)]]);
        FluentActions.Invoking(() => Fit(Small with { ResizeMode = ResizeMode.CropShortSide }, shares)).Should().Throw<ArgumentException>()
            .WithMessage("*Regions['object']*width and height*CropShortSide*shares*");
    }

    private static int Nearest(double place) => Math.Clamp((int)Math.Floor(place + 0.5), 0, Side - 1);
}
