using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>Photographs of a part, a region of them, and models that are fitted with it.</summary>
internal static class PartWithRegion
{
    public const int Width = 160;
    public const int Height = 120;
    public const int Side = 112;

    public static readonly FitChoices Small = new() { Epochs = 0, ImageSize = Side, Seed = 3 };

    /// <summary>The right two thirds of the image, all but its rim.</summary>
    public static InspectionRegion Right => InspectionRegion.FromPolygons(Width, Height, [[(56, 8), (152, 8), (152, 112), (56, 112)]]);

    public static IEnumerable<TrainingImage> Supports
        => Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(Width, Height, i) });

    public static KagPromptModel Fit(InspectionOptions options, InspectionRegion? region)
        => KagPromptTrainer.Fit(Supports, region is null ? options : With(options, region));

    public static InspectionOptions With(InspectionOptions options, InspectionRegion region)
        => options with { Regions = Regions("object", region) };

    public static Dictionary<string, InspectionRegion> Regions(string name, InspectionRegion region) => new() { [name] = region };

    /// <summary>A part with a bright spot of a radius of 12.</summary>
    public static PixelBuffer Spotted(int seed, int x, int y)
    {
        var image = TestImages.Part(Width, Height, seed);
        for (var p = 0; p < Width * Height; p++)
        {
            var (dx, dy) = ((p % Width) - x, (p / Width) - y);
            if ((dx * dx) + (dy * dy) < 144)
            {
                image.Rgb[3 * p] = 250;
            }
        }

        return image;
    }
}
