using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>The regions of a fit's classes, each placed once.</summary>
internal sealed class ClassRegions(IReadOnlyDictionary<string, InspectionRegion> regions, InspectionNetwork network)
{
    private readonly Dictionary<string, ClassRegion?> placed = [];

    /// <summary>A class's region; null: all is inspected.</summary>
    /// <exception cref="ArgumentException">It leaves no patch to inspect.</exception>
    public ClassRegion? Find(string className)
    {
        if (!placed.TryGetValue(className, out var region))
        {
            placed.Add(className, region = network.Place(className, regions));
        }

        return region;
    }

    /// <summary>Refuses an image of another shape than its class's region; at S × S already, it may have had any.</summary>
    public void RequireFit(TrainingImage image, int side)
    {
        if (regions.TryGetValue(image.ClassName, out var region) && (image.Image.Width, image.Image.Height) != (side, side))
        {
            region.RequireFit(image.Image.Width, image.Image.Height,
                $"An image of class '{image.ClassName}'{(image.Origin.Length > 0 ? $" ({image.Origin})" : "")}");
        }
    }

    /// <summary>A misspelt name would leave a class without its region.</summary>
    /// <exception cref="ArgumentException">One is of a class that there are no images of.</exception>
    public static void RequireKnown(IEnumerable<string> named, IReadOnlyCollection<string> classNames)
    {
        if (named.FirstOrDefault(name => !classNames.Contains(name)) is { } unknown)
        {
            var known = string.Join(", ", classNames.Take(20).Select(name => $"'{name}'"));
            throw new ArgumentException($"Regions['{unknown}']: expected a class of the images ({known}), got another name. "
                + "Spell it as the images' class, or leave it out.");
        }
    }
}
