namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>What scores images: a model zip, or an exported file.</summary>
internal interface IScoringModel : IDisposable
{
    IReadOnlyCollection<string> ClassNames { get; }

    /// <summary>How images are read and brought to the model's size.</summary>
    ImageOptions Images { get; }

    /// <summary>S of the maps.</summary>
    int MapSize { get; }

    /// <summary>Images that go through the network together.</summary>
    int BatchSize { get; }

    /// <summary>Refuses an image of another shape than the region that was drawn for its class.</summary>
    /// <exception cref="ImageReadException">It has another shape.</exception>
    void RequireFit(string className, int width, int height, string origin);

    /// <summary>Verdicts on images that are S × S; null stands for the only class.</summary>
    IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames);

    float[] MapToImage(float[] map, int width, int height);

    /// <summary>Null stands for the only class.</summary>
    ThresholdCalibration Calibration(string? className);
}
