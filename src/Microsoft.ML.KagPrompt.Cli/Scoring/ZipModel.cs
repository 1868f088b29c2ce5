namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>A model zip that scores.</summary>
internal sealed class ZipModel : IScoringModel
{
    private readonly ITransformer loaded;
    private readonly KagPromptTransformer? moved;

    private ZipModel(ITransformer loaded, float? threshold)
    {
        (this.loaded, Transformer) = (loaded, KagPromptTransformer.FindIn(loaded));
        if (threshold is { } value)
        {
            Transformer = moved = Transformer.WithThreshold(value);
        }
    }

    public KagPromptTransformer Transformer { get; }

    public IReadOnlyCollection<string> ClassNames => Transformer.Model.ClassNames;

    public ImageOptions Images => Transformer.Options.Images;

    public int MapSize => Transformer.Model.MapSize;

    public int BatchSize => Transformer.BatchSize;

    /// <param name="zip">What <c>mlContext.Model.Save</c> wrote.</param>
    /// <param name="device">"auto", "cpu" or "cuda:N".</param>
    /// <param name="threshold">Decides instead of the model's own; null: it decides.</param>
    public static ZipModel Load(string zip, string device, float? threshold = null)
    {
        var loaded = SavedModel.Load(zip, device);
        try
        {
            return new ZipModel(loaded, threshold);
        }
        catch
        {
            (loaded as IDisposable)?.Dispose();
            throw;
        }
    }

    public void RequireFit(string className, int width, int height, string origin)
        => Transformer.Model.Options.Regions.GetValueOrDefault(className)?.RequireFit(width, height, origin);

    public IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames)
        => Transformer.Model.Inspect(images, classNames);

    public float[] MapToImage(float[] map, int width, int height) => Transformer.Model.MapToImage(map, width, height);

    public ThresholdCalibration Calibration(string? className) => Transformer.Calibration(className);

    public void Dispose()
    {
        moved?.Dispose();
        (loaded as IDisposable)?.Dispose();
    }
}
