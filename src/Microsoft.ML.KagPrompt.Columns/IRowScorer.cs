namespace Microsoft.ML.KagPrompt;

/// <summary>What scores a view's rows: a fitted model, or an exported one.</summary>
/// <remarks>Thread-safe.</remarks>
internal interface IRowScorer
{
    /// <summary>Names of the columns read and appended.</summary>
    ColumnOptions Columns { get; }

    /// <summary>S: rows and columns of the model's maps.</summary>
    int MapSize { get; }

    /// <summary>How many rows meet the network together.</summary>
    int BatchSize { get; }

    /// <summary>The columns scoring reads.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    InputColumns InputOf(DataViewSchema schema);

    /// <summary>The input's columns and, after them, the outputs.</summary>
    DataViewSchema GetOutputSchema(DataViewSchema inputSchema);

    /// <summary>A picture as the network takes it: no more of it need be held until its turn.</summary>
    /// <exception cref="ArgumentException">The class is not known.</exception>
    /// <exception cref="ImageReadException">The picture has another shape than its class's region.</exception>
    PixelBuffer ToModelSize(PixelBuffer image, string? className);

    /// <summary>The verdicts on pictures of <see cref="ToModelSize"/>, with maps of the model's size.</summary>
    IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames);

    /// <summary>A map of the model's size at an image's.</summary>
    float[] MapToImage(ReadOnlySpan<float> map, int width, int height);

    /// <summary>How a class's maps are to be drawn; null stands for the only class, or the default's.</summary>
    ThresholdCalibration CalibrationOf(string? className);
}
