using System.Diagnostics;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>Chooses the number of tiles: as many as the pictures have pixels for, and as the time that the user allows.</summary>
internal static class TileChoice
{
    /// <summary>Beyond these, what a tile shows is too little of a part to tell it by.</summary>
    private const int MostByItself = 3;

    private const int SupportsToMeasure = 4;

    private const int Measurements = 3;

    /// <summary>The options with a number of tiles.</summary>
    /// <param name="options">Without.</param>
    /// <param name="first">The first picture; null: there is none, and the fit will say so.</param>
    /// <param name="create">Makes the networks by options, on towers they share; they are disposed of here.</param>
    /// <param name="texts">For methods that use text.</param>
    public static InspectionOptions Resolve(InspectionOptions options, TrainingImage? first,
        Func<InspectionOptions, InspectionNetwork> create, PromptTexts texts)
    {
        for (var tiles = first is null || !options.Method.TakesTiles ? 1 : MostByItself; tiles > 1; tiles--)
        {
            var candidate = options with { Images = options.Images with { Tiles = tiles, TilesTime = null } };
            using var network = create(candidate);
            // A picture that would have to be enlarged shows nothing more by it.
            if (network.ImageSize <= Math.Min(first!.Image.Width, first.Image.Height)
                && (options.Images.TilesTime is not { } most || TimeOf(network, first, options.Method.Memory.Views, texts) <= most))
            {
                return candidate;
            }
        }

        return options with { Images = options.Images with { Tiles = 1, TilesTime = null } };
    }

    /// <summary>The least time of some in which a picture was scored, after one that warmed up.</summary>
    private static TimeSpan TimeOf(InspectionNetwork network, TrainingImage image, SupportViews support, PromptTexts texts)
    {
        var square = network.Preprocessor.Resize(image.Image);
        var (views, regions) = ViewsOfSupport.Create(square, null, support);
        var remembered = network.Remember(views, regions);
        try
        {
            var text = network.Method.UsesText ? network.Method.Describe(texts, image.ClassName) : null;
            using var reference = network.Method.BuildReference(
                [.. Enumerable.Repeat(remembered, SupportsToMeasure)], text, region: null);
            return Enumerable.Range(0, Measurements + 1).Select(_ => Once(network, square, reference)).Skip(1).Min();
        }
        finally
        {
            foreach (var tensor in remembered)
            {
                tensor.Dispose();
            }
        }
    }

    private static TimeSpan Once(InspectionNetwork network, PixelBuffer square, ClassReference reference)
    {
        var watch = Stopwatch.StartNew();
        using var features = network.Encode([square]);
        using var scored = network.Score(features, reference);
        return watch.Elapsed;
    }
}
