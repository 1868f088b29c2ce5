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
    private readonly ITransformer model;
    private readonly KagPromptTransformer? moved;
    private readonly bool atImageSize;

    private ImageScorer(ITransformer model, bool atImageSize, float? threshold)
    {
        (this.model, this.atImageSize, Transformer) = (model, atImageSize, KagPromptTransformer.FindIn(model));
        if (threshold is { } value)
        {
            Transformer = moved = Transformer.WithThreshold(value);
        }
    }

    public KagPromptTransformer Transformer { get; }

    /// <summary>Loads a model zip.</summary>
    /// <param name="zip">What <c>mlContext.Model.Save</c> wrote.</param>
    /// <param name="device">"auto", "cpu" or "cuda:N".</param>
    /// <param name="atImageSize">True: maps have each image's own size; false: the model's.</param>
    /// <param name="threshold">Decides instead of the model's own; null: it decides.</param>
    public static ImageScorer Load(string zip, string device = "auto", bool atImageSize = false, float? threshold = null)
    {
        var loaded = SavedModel.Load(zip, device);
        try
        {
            return new ImageScorer(loaded, atImageSize, threshold);
        }
        catch
        {
            (loaded as IDisposable)?.Dispose();
            throw;
        }
    }

    /// <summary>Scores in order; images are read when they are asked for.</summary>
    public IEnumerable<ScoredImage> Score(IEnumerable<DatasetImage> images, CancellationToken cancellation)
        => Score(images.Select(image => (image,
            (Func<PixelBuffer>)(() => ImageCodec.Read(image.Path, Transformer.Options.Images.MaxPixels,
                Transformer.Options.Images.Orientation)),
            false)),
            cancellation);

    /// <summary>The same, for images that are read in other ways than from their path.</summary>
    public IEnumerable<ScoredImage> Score(IEnumerable<(DatasetImage Image, Func<PixelBuffer> Read, bool IsAwaited)> images,
        CancellationToken cancellation)
    {
        // Pictures are brought to the model's size one by one as they are read: of large photographs, one alone is held.
        var preprocessor = new ImagePreprocessor(Transformer.Model.MapSize, Transformer.Options.Images.ResizeMode, [0, 0, 0], [1, 1, 1]);
        foreach (var batch in Batches(images))
        {
            cancellation.ThrowIfCancellationRequested();
            var read = batch.Select(item => Read(item.Image, item.Read, preprocessor, RegionOf(item.Image))).ToArray();
            var whole = read.Where(item => item.Square is not null).ToArray();
            var inspections = new Queue<(Inspection? Result, string? Fault)>(
                Verdicts.Collect([.. whole.Select(item => (item.Square!, ClassOf(item.Image)))], Inspect));
            foreach (var (image, square, size, fault) in read)
            {
                var (inspection, why) = square is null ? (null, fault) : inspections.Dequeue();
                if (inspection is null)
                {
                    var known = Transformer.Model.ClassNames.Contains(image.ClassName)
                        ? image.ClassName
                        : Transformer.Model.ClassNames.First();
                    yield return new ScoredImage(image, float.NaN, false, float.NaN, [], 0, 0, Transformer.Calibration(known), why);
                    continue;
                }

                var (width, height) = atImageSize ? size : (inspection.Width, inspection.Height);
                var map = atImageSize ? Transformer.Model.MapToImage(inspection.Map, width, height) : inspection.Map;
                yield return new ScoredImage(image, inspection.Score, inspection.IsAnomalous, inspection.Probability, map, width, height,
                    Transformer.Calibration(ClassOf(image)), null)
                {
                    Size = size,
                    IsForeign = inspection.IsForeign,
                    Unlikeness = inspection.Unlikeness,
                    Reason = inspection.Reason,
                };
            }
        }
    }

    public void Dispose()
    {
        moved?.Dispose();
        (model as IDisposable)?.Dispose();
    }

    private IReadOnlyList<Inspection> Inspect(IReadOnlyList<(PixelBuffer Pixels, string? Class)> images)
        => Transformer.Model.Inspect([.. images.Select(image => image.Pixels)], [.. images.Select(image => image.Class)]);

    private static (DatasetImage Image, PixelBuffer? Square, (int Width, int Height) Size, string? Fault) Read(
        DatasetImage image, Func<PixelBuffer> read, ImagePreprocessor preprocessor, InspectionRegion? region)
    {
        try
        {
            var pixels = read();
            region?.RequireFit(pixels.Width, pixels.Height, $"'{image.Path}'");
            return (image, preprocessor.Resize(pixels), (pixels.Width, pixels.Height), null);
        }
        catch (Exception fault) when (fault is KagPromptException or IOException or UnauthorizedAccessException)
        {
            return (image, null, default, fault.Message);
        }
    }

    /// <summary>A few at a time; nobody who waits for a score has to send more first.</summary>
    private IEnumerable<IReadOnlyList<(DatasetImage Image, Func<PixelBuffer> Read, bool IsAwaited)>> Batches(
        IEnumerable<(DatasetImage Image, Func<PixelBuffer> Read, bool IsAwaited)> images)
    {
        var batch = new List<(DatasetImage, Func<PixelBuffer>, bool)>();
        foreach (var item in images)
        {
            batch.Add(item);
            if (item.IsAwaited || batch.Count == Transformer.Options.InferenceBatchSize)
            {
                yield return batch;
                batch = [];
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private InspectionRegion? RegionOf(DatasetImage image)
        => Transformer.Model.Options.Regions.GetValueOrDefault(ClassOf(image) ?? Transformer.Model.ClassNames.First());

    /// <summary>A model of one class takes every image for it, whatever the folder is called.</summary>
    private string? ClassOf(DatasetImage image) => Transformer.Model.ClassNames.Count == 1 ? null : image.ClassName;
}
