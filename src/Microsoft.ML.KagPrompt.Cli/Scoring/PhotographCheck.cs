using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>
/// Looks through photographs before a model is fitted on them: all that cannot be read are named at once, and what may mislead the fit is
/// reported.
/// </summary>
internal sealed class PhotographCheck(Action<string> tell, int maxPixels = ImageCodec.DefaultMaxPixels,
    ImageOrientation orientation = ImageOrientation.Exif)
{
    private const int Named = 20;

    private readonly LevelUse levels = new();
    private readonly Dictionary<(string ClassName, string Digest), DatasetImage> seen = [];
    private readonly List<(DatasetImage Image, DatasetImage First)> same = [];
    private readonly List<string> faults = [];
    private readonly List<string> moving = [];

    /// <exception cref="ImageReadException">Some cannot be read.</exception>
    public void Run(IReadOnlyCollection<DatasetImage> images)
    {
        foreach (var image in images)
        {
            Look(image);
        }

        if (faults.Count > 0)
        {
            throw new ImageReadException($"{faults.Count} of {images.Count} photographs cannot be read:\n  "
                + $"{string.Join("\n  ", faults.Take(Named))}{(faults.Count > Named ? "\n  …" : "")}\nTake them out or replace them.");
        }

        if (levels.Warning is { } dark)
        {
            tell(dark);
        }

        if (same.Count > 0)
        {
            var pairs = same.Take(Named).Select(pair => $"{pair.Image.Path} = {pair.First.Path}"
                + (pair.Image.IsAnomalous == pair.First.IsAnomalous ? "" : " (one is called good, one defective)"));
            tell($"{same.Count} of {images.Count} photographs show the same pixels as another, so there are fewer different ones than "
                + $"it seems: {string.Join(", ", pairs)}{(same.Count > Named ? ", …" : "")}.");
        }

        if (moving.Count > 0)
        {
            tell($"{moving.Count} file(s) hold several pictures, of which the first is used: "
                + $"{string.Join(", ", moving.Take(Named))}{(moving.Count > Named ? ", …" : "")}.");
        }
    }

    private void Look(DatasetImage image)
    {
        PixelBuffer pixels;
        ImageFileInfo info;
        try
        {
            pixels = ImageCodec.Read(image.Path, out info, maxPixels, orientation);
        }
        catch (ImageReadException fault)
        {
            faults.Add(fault.Message);
            return;
        }

        levels.Add(pixels, info.BitsPerSample);
        if (info.Frames > 1)
        {
            moving.Add(image.Path);
        }

        var digest = FormattableString.Invariant($"{pixels.Width} {Convert.ToHexString(SHA256.HashData(pixels.Rgb))}");
        if (!seen.TryAdd((image.ClassName, digest), image))
        {
            same.Add((image, seen[(image.ClassName, digest)]));
        }
    }
}
