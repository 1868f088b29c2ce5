using System.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>
/// A product's test images as models see them, and their masks: read once, however many draws and methods score them, while there is room.
/// Not thread-safe.
/// </summary>
internal sealed class ScoredImages(DatasetImage[] images, IEvaluationImages source)
{
    // Hundreds of images of usual sizes, and of large ones some.
    private const long MostBytes = 512L << 20;

    // With a class's region, since an image of another shape than it is refused, and is not without.
    private readonly Dictionary<(int Image, int Side, ResizeMode Mode, InspectionRegion? Region), (PixelBuffer Square, TimeSpan Time)>
        squares = [];

    private readonly Dictionary<(int Image, int Side, ResizeMode Mode), bool[]> masks = [];
    private long bytes;

    public IReadOnlyList<DatasetImage> All => images;

    /// <summary>How long what was not read again took to read.</summary>
    public TimeSpan TimeSaved { get; private set; }

    /// <summary>An image at a model's size.</summary>
    public PixelBuffer Square(KagPromptModel model, int image)
    {
        var region = model.Options.Regions.GetValueOrDefault(images[image].ClassName);
        var key = (image, model.MapSize, model.Options.Images.ResizeMode, region);
        if (squares.TryGetValue(key, out var known))
        {
            TimeSaved += known.Time;
            return known.Square;
        }

        var watch = Stopwatch.StartNew();
        var square = model.Square(source.Read(images[image]), images[image].ClassName, $"'{images[image].Path}'");
        if (HasRoom(square.Rgb.Length))
        {
            squares.Add(key, (square, watch.Elapsed));
        }

        return square;
    }

    /// <summary>An image's mask at a model's size.</summary>
    public bool[] Mask(KagPromptModel model, int image)
    {
        var key = (image, model.MapSize, model.Options.Images.ResizeMode);
        if (!masks.TryGetValue(key, out var mask))
        {
            mask = source.ReadMask(images[image], model.MapSize, model.Options.Images.ResizeMode);
            if (HasRoom(mask.Length))
            {
                masks.Add(key, mask);
            }
        }

        return mask;
    }

    private bool HasRoom(long more)
    {
        if (bytes + more > MostBytes)
        {
            return false;
        }

        bytes += more;
        return true;
    }
}
