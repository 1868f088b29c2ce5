using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.OnnxReading;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Scores images with an exported model: appends score, decision and anomaly map to every row. Saved and loaded with
/// <c>mlContext.Model</c>, alone or in a pipeline; the zip holds the file.
/// </summary>
/// <remarks>
/// Immutable; several threads may transform at once (a <c>PredictionEngine</c> is not thread-safe: use one for each thread). Owns native
/// memory: dispose it, or the chain that holds it. Images that the caller holds in memory stay the caller's and usable; those that
/// LoadImages reads are disposed row by row.
/// </remarks>
public sealed partial class KagOnnxTransformer : ITransformer, IRowScorer, IDisposable
{
    private readonly IHost host;
    private readonly ExportedFile file;

    internal KagOnnxTransformer(IHostEnvironment environment, ExportedFile file, KagOnnxOptions options)
    {
        host = environment.Register(nameof(KagOnnxTransformer));
        (this.file, Options) = (file, options);
        Inspector = OnnxInspector.From(file, options.Inspector);
    }

    /// <summary>Names and sizes.</summary>
    public KagOnnxOptions Options { get; }

    /// <summary>The model behind it, for use without ML.NET. The transformer owns it.</summary>
    public OnnxInspector Inspector { get; }

    bool ITransformer.IsRowToRowMapper => true;

    ColumnOptions IRowScorer.Columns => Options.Columns;

    int IRowScorer.MapSize => Inspector.Info.ImageSize;

    int IRowScorer.BatchSize => Options.InferenceBatchSize;

    /// <summary>The input's columns and, after them, the outputs.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The image column is missing or of the wrong type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        InputOf(inputSchema, Options, Inspector.Info);
        return OutputSchema.Append(inputSchema, Options.Columns, Inspector.Info.ImageSize, Inspector.Info.ResizeMode);
    }

    /// <summary>The view with the output columns. Nothing is computed until they are read.</summary>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ScoredDataView(host, this, input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => new RowMapper(this, inputSchema);

    /// <summary>Frees the native memory.</summary>
    public void Dispose() => Inspector.Dispose();

    InputColumns IRowScorer.InputOf(DataViewSchema schema) => InputOf(schema, Options, Inspector.Info);

    PixelBuffer IRowScorer.ToModelSize(PixelBuffer image, string? className)
    {
        if (className is not null && className != Inspector.Info.ClassName)
        {
            throw new ArgumentException($"Class '{className}' is not known to this model: expected '{Inspector.Info.ClassName}', "
                + "the one it was exported for. Filter such rows out, or apply the file of their class to them.");
        }

        return Inspector.ToModelSize(image);
    }

    IReadOnlyList<Inspection> IRowScorer.Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames)
        => Inspector.InspectPrepared(images);

    float[] IRowScorer.MapToImage(ReadOnlySpan<float> map, int width, int height) => Inspector.MapToImage(map, width, height);

    ThresholdCalibration IRowScorer.CalibrationOf(string? className) => Inspector.Info.Calibration;

    internal static InputColumns InputOf(DataViewSchema schema, KagOnnxOptions options, OnnxModelInfo info)
    {
        var className = options.Columns.ClassName is { } name && schema.GetColumnOrNull(name) is not null ? name : null;
        return InputColumns.Find(schema, options.Columns with { ClassName = className },
            new() { MaxPixels = options.Inspector.MaxPixels, Orientation = info.Orientation }, fitting: false);
    }
}
