using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>
/// Scores image files with a saved model, a few at a time. An image that cannot be read is reported as such, and the others go on.
/// </summary>
internal sealed class ImageScorer : IDisposable
{
    private readonly bool atImageSize;

    private ImageScorer(IScoringModel model, bool atImageSize) => (Model, this.atImageSize) = (model, atImageSize);

    public IScoringModel Model { get; }

    /// <summary>Pixels a side that a picture keeps at least.</summary>
    public int LeastSide => Model.Images.ReducedJpeg ? 4 * Model.MapSize : int.MaxValue;

    /// <summary>Loads a model zip or an exported file.</summary>
    /// <param name="path">What <c>mlContext.Model.Save</c> wrote, or 'kagprompt export'.</param>
    /// <param name="device">"auto", "cpu" or "cuda:N".</param>
    /// <param name="atImageSize">True: maps have each image's own size; false: the model's.</param>
    /// <param name="threshold">Decides instead of the model's own; null: it decides.</param>
    public static ImageScorer Load(string path, string device = "auto", bool atImageSize = false, float? threshold = null)
        => new(ExportedModel.IsOne(path) ? ExportedModel.Load(path, device, threshold) : ZipModel.Load(path, device, threshold),
            atImageSize);

    /// <summary>Scores in order; while a few images are scored, the next are read on another thread.</summary>
    public IEnumerable<ScoredImage> Score(IEnumerable<DatasetImage> images, CancellationToken cancellation)
        => Score(_ => images.Select(image => (image,
            (Func<ReadPicture>)(() => ReadPicture.FromPixels(
                ImageCodec.ReadReduced(image.Path, LeastSide, out var info, Model.Images.MaxPixels, Model.Images.Orientation),
                info,
                Model.Images)),
            false)),
            cancellation);

    /// <summary>
    /// The same, for images that are read in other ways than from their path. Their source is told when nobody asks for more: it may be
    /// waiting for one.
    /// </summary>
    public IEnumerable<ScoredImage> Score(
        Func<CancellationToken, IEnumerable<(DatasetImage Image, Func<ReadPicture> Read, bool IsAwaited)>> images,
        CancellationToken cancellation)
    {
        // Nobody who waits for a score has to send more first.
        using var batches = new ReadAhead<ReadImage>(stop => Read(images(stop)),
            (item, count) => item.IsAwaited || count == Model.BatchSize, cancellation);
        while (batches.Next() is { Count: > 0 } read)
        {
            cancellation.ThrowIfCancellationRequested();
            var whole = read.Where(item => item.Square is not null).ToArray();
            var inspections = new Queue<(Inspection? Result, string? Fault)>(
                Verdicts.Collect([.. whole.Select(item => (item.Square!, ClassOf(item.Image)))], Inspect));
            foreach (var (image, square, size, fault, _) in read)
            {
                var (inspection, why) = square is null ? (null, fault) : inspections.Dequeue();
                if (inspection is null)
                {
                    var known = Model.ClassNames.Contains(image.ClassName)
                        ? image.ClassName
                        : Model.ClassNames.First();
                    yield return new ScoredImage(image, float.NaN, false, float.NaN, [], 0, 0, Model.Calibration(known), why);
                    continue;
                }

                var (width, height) = atImageSize ? size : (inspection.Width, inspection.Height);
                var map = atImageSize ? Model.MapToImage(inspection.Map, width, height) : inspection.Map;
                yield return new ScoredImage(image, inspection.Score, inspection.IsAnomalous, inspection.Probability, map, width, height,
                    Model.Calibration(ClassOf(image)), null)
                {
                    Size = size,
                    IsForeign = inspection.IsForeign,
                    Unlikeness = inspection.Unlikeness,
                    Reason = inspection.Reason,
                };
            }
        }
    }

    public void Dispose() => Model.Dispose();

    private IReadOnlyList<Inspection> Inspect(IReadOnlyList<(PixelBuffer Pixels, string? Class)> images)
        => Model.Inspect([.. images.Select(image => image.Pixels)], [.. images.Select(image => image.Class)]);

    /// <summary>Pictures are brought to the model's size one by one as they are read: of large photographs, one alone is held.</summary>
    private IEnumerable<ReadImage> Read(IEnumerable<(DatasetImage Image, Func<ReadPicture> Read, bool IsAwaited)> images)
    {
        var preprocessor = new ImagePreprocessor(Model.MapSize, Model.Images.ResizeMode, [0, 0, 0], [1, 1, 1]);
        return images.Select(item => Read(item.Image, item.Read, preprocessor) with { IsAwaited = item.IsAwaited });
    }

    private ReadImage Read(DatasetImage image, Func<ReadPicture> read, ImagePreprocessor preprocessor)
    {
        try
        {
            var (pixels, width, height) = read();
            Model.RequireFit(ClassOf(image) ?? Model.ClassNames.First(), width, height, $"'{image.Path}'");
            return new(image, preprocessor.Resize(pixels), (width, height), null);
        }
        catch (Exception fault) when (fault is KagPromptException or IOException or UnauthorizedAccessException)
        {
            return new(image, null, default, fault.Message);
        }
    }

    /// <summary>A model of one class takes every image for it, whatever the folder is called.</summary>
    private string? ClassOf(DatasetImage image) => Model.ClassNames.Count == 1 ? null : image.ClassName;

    /// <summary>An image as the model takes it, or why there is none.</summary>
    private sealed record ReadImage(
        DatasetImage Image, PixelBuffer? Square, (int Width, int Height) Size, string? Fault, bool IsAwaited = false);
}
