using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>The images of one fit, brought to S × S and sorted by the part they play; 3·S² bytes an image.</summary>
internal sealed class FitSet
{
    private readonly List<FitImage> images = [];

    private FitSet() { }

    /// <summary>Normal images in the order they came.</summary>
    public IEnumerable<FitImage> Normal => images.Where(image => !image.IsAnomalous);

    /// <summary>Labelled defects of a class; they serve the threshold alone.</summary>
    public IReadOnlyList<FitImage> AnomalousOf(string className)
        => [.. images.Where(image => image.IsAnomalous && image.ClassName == className)];

    /// <summary>Normal images of a class that stay out of its memory bank.</summary>
    public IReadOnlyList<FitImage> HeldOutOf(string className, IReadOnlyCollection<FitImage> support)
        => [.. Normal.Where(image => image.ClassName == className && !support.Contains(image))];

    /// <summary>Classes with at least one image, in order of appearance.</summary>
    public IReadOnlyList<string> ClassNames => [.. images.Select(image => image.ClassName).Distinct()];

    /// <summary>Reads every image once.</summary>
    /// <exception cref="InsufficientDataException">No image, or a class without a normal one.</exception>
    /// <exception cref="ImageReadException">An image has another shape than its class's region.</exception>
    public static FitSet Read(IEnumerable<TrainingImage> source, ImagePreprocessor preprocessor, Action<int> onImage,
        CancellationToken cancellation, ClassRegions? regions = null)
    {
        var set = new FitSet();
        foreach (var image in source)
        {
            cancellation.ThrowIfCancellationRequested();
            regions?.RequireFit(image, preprocessor.ImageSize);
            var (square, region) = (preprocessor.Resize(image.Image), regions?.Find(image.ClassName)?.Square);
            set.images.Add(new FitImage(region?.Cut(square) ?? square, image.ClassName, image.IsAnomalous == true, image.IsSupport,
                image.Origin, region));
            onImage(set.images.Count);
        }

        set.Check();
        return set;
    }

    /// <summary>The memory bank's images: the flagged ones, else up to <paramref name="most"/> normal ones drawn at random.</summary>
    public IReadOnlyList<FitImage> SupportOf(string className, int most, int seed)
    {
        var normal = Normal.Where(image => image.ClassName == className).ToArray();
        if (normal.Any(image => image.IsSupport == true))
        {
            return [.. normal.Where(image => image.IsSupport == true)];
        }

        if (normal.Any(image => image.IsSupport is not null))
        {
            throw new InsufficientDataException($"Class '{className}' has {normal.Length} normal image(s), none of them flagged as "
                + "support: expected at least one. Flag an image, or flag none (IsSupport null) to let the library choose.");
        }

        if (normal.Length <= most)
        {
            return normal;
        }

        new Random(seed).Shuffle(normal);
        return normal[..most];
    }

    private void Check()
    {
        if (images.Count == 0)
        {
            throw new InsufficientDataException("There are no images to fit on: expected at least one normal image, got 0.");
        }

        foreach (var className in ClassNames)
        {
            if (Normal.All(image => image.ClassName != className))
            {
                throw new InsufficientDataException(
                    $"Class '{className}' has {AnomalousOf(className).Count} anomalous image(s) and no normal one: "
                    + "expected at least one normal image per class. Check the labels: a defect is anomalous, a sound part is not.");
            }
        }
    }
}

/// <summary>One image of a fit at S × S.</summary>
internal sealed class FitImage(PixelBuffer square, string className, bool isAnomalous, bool? isSupport, string origin,
    SquareRegion? region = null)
    : ProductImage(square, className, origin, region)
{
    public bool IsAnomalous => isAnomalous;

    public bool? IsSupport => isSupport;
}
