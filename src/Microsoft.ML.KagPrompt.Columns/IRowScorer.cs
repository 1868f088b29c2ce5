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

    /// <summary>The verdicts, with maps of the size that <see cref="ColumnOptions.MapResolution"/> says.</summary>
    IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames);

    /// <summary>A map of the model's size at an image's.</summary>
    float[] MapToImage(ReadOnlySpan<float> map, int width, int height);

    /// <summary>How a class's maps are to be drawn; null stands for the only class, or the default's.</summary>
    ThresholdCalibration CalibrationOf(string? className);
}
