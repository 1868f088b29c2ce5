using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>Scores image files with a saved model, a few at a time. An image that cannot be read is told as such, and the others go on.</summary>
internal sealed class ImageScorer : IDisposable
{
    private readonly ITransformer model;
    private readonly KagPromptTransformer? moved;
    private readonly bool atImageSize;

    private ImageScorer(ITransformer model, bool atImageSize, float? threshold)
    {
        (this.model, this.atImageSize, Transformer) = (model, atImageSize, KagPromptTransformer.In(model));
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
        => Score(images.Select(image => (image, (Func<PixelBuffer>)(() => ImageCodec.Read(image.Path, Transformer.Options.MaxImagePixels)))), cancellation);

    /// <summary>The same, for images that are read in other ways than from their path.</summary>
    /// <param name="images">Each with its way to be read.</param>
    /// <param name="cancellation">Stops between images.</param>
    /// <param name="atOnce">Whether each is scored as it comes, whenever the next one may; else several go through the networks together.</param>
    public IEnumerable<ScoredImage> Score(IEnumerable<(DatasetImage Image, Func<PixelBuffer> Read)> images, CancellationToken cancellation, bool atOnce = false)
    {
        foreach (var batch in images.Chunk(atOnce ? 1 : Transformer.Options.InferenceBatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            var read = batch.Select(item => Read(item.Image, item.Read)).ToArray();
            var whole = read.Where(item => item.Pixels is not null).ToArray();
            var inspections = new Queue<(Inspection? Result, string? Fault)>(Verdicts.Of([.. whole.Select(item => (item.Pixels!, ClassOf(item.Image)))], Inspect));
            foreach (var (image, pixels, fault) in read)
            {
                var (inspection, why) = pixels is null ? (null, fault) : inspections.Dequeue();
                yield return inspection is null
                    ? new ScoredImage(image, float.NaN, false, float.NaN, [], 0, 0, Transformer.Calibration(Transformer.Model.ClassNames.Contains(image.ClassName) ? image.ClassName : null), why)
                    : new ScoredImage(image, inspection.Score, inspection.IsAnomalous, inspection.Probability, inspection.Map, inspection.Width, inspection.Height, Transformer.Calibration(ClassOf(image)), null);
            }
        }
    }

    public void Dispose()
    {
        moved?.Dispose();
        (model as IDisposable)?.Dispose();
    }

    private IReadOnlyList<Inspection> Inspect(IReadOnlyList<(PixelBuffer Pixels, string? Class)> images) => Transformer.Model.Inspect([.. images.Select(image => image.Pixels)], [.. images.Select(image => image.Class)], atImageSize);

    private static (DatasetImage Image, PixelBuffer? Pixels, string? Fault) Read(DatasetImage image, Func<PixelBuffer> read)
    {
        try
        {
            return (image, read(), null);
        }
        catch (Exception fault) when (fault is KagPromptException or IOException or UnauthorizedAccessException)
        {
            return (image, null, fault.Message);
        }
    }

    /// <summary>A model of one class takes every image for it, whatever the folder is called.</summary>
    private string? ClassOf(DatasetImage image) => Transformer.Model.ClassNames.Count == 1 ? null : image.ClassName;
}
