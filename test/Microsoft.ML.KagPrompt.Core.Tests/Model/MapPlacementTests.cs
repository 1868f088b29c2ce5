using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using Xunit.Abstractions;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>Where the map says a spot is, against where it was painted.</summary>
public class MapPlacementTests(ITestOutputHelper output)
{
    private const int Side = 224;
    private const int Radius = 5;
    private const byte Ground = 128;

    [Theory]
    [InlineData("compact", 10)]
    [InlineData("compact", 250)]
    [InlineData("resnet18", 10)]
    [InlineData("resnet18", 250)]
    public void Inspect_SpotsAtBordersAndInside_LieWhereTheyWerePainted(string backbone, byte level)
    {
        using var model = KagPromptTrainer.Fit([new TrainingImage { Image = Plain() }], new FitChoices { Backbone = backbone, Epochs = 0, FromScratch = true, ImageSize = Side, Seed = 5 });
        // Inside and at all four borders, at places that no stride divides; as many to the left as to the right, so that what a border hides cancels.
        int[] places = [Radius, 37, 74, 112, 149, 186, Side - 1 - Radius];
        (int X, int Y)[] spots = [.. places.SelectMany(y => places.Select(x => (x, y)))];
        var plain = model.Inspect([Plain()], [null])[0].Map;
        var maps = model.Inspect([.. spots.Select(spot => Spotted(spot, level))], new string?[spots.Length]);
        var offsets = spots.Zip(maps, (spot, inspection) =>
        {
            var centre = Centroid(inspection.Map.Zip(plain, (value, ground) => value - ground).ToArray());
            return (X: centre.X - spot.X, Y: centre.Y - spot.Y);
        }).ToArray();
        var (x, y) = (offsets.Average(offset => offset.X), offsets.Average(offset => offset.Y));
        output.WriteLine(FormattableString.Invariant($"level {level}: mean offset {x:0.000} {y:0.000}, mean absolute {offsets.Average(o => Math.Abs(o.X)):0.000} {offsets.Average(o => Math.Abs(o.Y)):0.000}"));
        x.Should().BeInRange(-0.5, 0.5);
        y.Should().BeInRange(-0.5, 0.5);
        offsets.Should().AllSatisfy(offset => Math.Max(Math.Abs(offset.X), Math.Abs(offset.Y)).Should().BeLessThan(7, "half a patch"));
    }

    private static PixelBuffer Plain() => new(Side, Side, [.. Enumerable.Repeat(Ground, Side * Side * 3)]);

    private static PixelBuffer Spotted((int X, int Y) spot, byte level)
    {
        var image = Plain();
        for (var i = 0; i < Side * Side; i++)
        {
            if (Square((i % Side) - spot.X) + Square((i / Side) - spot.Y) <= Square(Radius))
            {
                Array.Fill(image.Rgb, level, 3 * i, 3);
            }
        }

        return image;
    }

    /// <summary>Of what rises above half the maximum.</summary>
    private static (double X, double Y) Centroid(float[] map)
    {
        var half = map.Max() / 2;
        var (sum, x, y) = (0.0, 0.0, 0.0);
        for (var i = 0; i < map.Length; i++)
        {
            var weight = Math.Max(0, map[i] - half);
            (sum, x, y) = (sum + weight, x + (weight * (i % Side)), y + (weight * (i / Side)));
        }

        return (x / sum, y / sum);
    }

    private static double Square(double value) => value * value;
}
