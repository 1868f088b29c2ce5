using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Reporting;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Scores images: appends score, decision and anomaly map to every row. Saved and loaded with <c>mlContext.Model</c>, alone or in a
/// pipeline.
/// </summary>
/// <remarks>
/// Immutable; several threads may transform at once (a <c>PredictionEngine</c> is not thread-safe: use one for each thread). Owns native
/// memory: dispose it, or the chain that holds it. A transformer made from another is disposed apart. Images that the caller holds in
/// memory (LoadFromEnumerable, a prediction engine's input) stay the caller's and usable; those that LoadImages reads are disposed row by
/// row.
/// </remarks>
public sealed partial class KagPromptTransformer : ITransformer, IRowScorer, IDisposable
{
    private readonly IHost host;

    internal KagPromptTransformer(IHostEnvironment environment, KagPromptOptions options, KagPromptModel model)
    {
        host = environment.Register(nameof(KagPromptTransformer));
        Options = options with { InitialModel = null, InitialModelPath = null, Progress = null, Cancellation = default };
        Model = model;
    }

    /// <summary>The options it was fitted with; scoring reads the column names and sizes.</summary>
    public KagPromptOptions Options { get; }

    /// <summary>The model behind it, for use without ML.NET. The transformer owns it.</summary>
    public KagPromptModel Model { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>How the threshold of a class came about, and what may be expected of it; null stands for the only class.</summary>
    /// <exception cref="ArgumentException">The class is not known, or none is named and the model knows several.</exception>
    public ThresholdCalibration Calibration(string? className = null) => Model.CalibrationOf(className ?? OnlyClass());

    /// <summary>The former name of <see cref="FindIn"/>.</summary>
    [Obsolete("Use FindIn.")]
    [System.ComponentModel.EditorBrowsable(System.ComponentModel.EditorBrowsableState.Never)]
    public static KagPromptTransformer In(ITransformer model) => FindIn(model);

    /// <summary>The one KAG transformer of a loaded model, alone or within pipelines: for its calibration, options and adapting.</summary>
    /// <returns>What the model owns: dispose the model, not this.</returns>
    /// <exception cref="ArgumentException">The model holds none, or several.</exception>
    public static KagPromptTransformer FindIn(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var found = Parts(model).OfType<KagPromptTransformer>().ToArray();
        return found.Length == 1
            ? found[0]
            : throw new ArgumentException($"model: expected one fitted DetectAnomaliesKag in it, got {found.Length}.", nameof(model));

        static IEnumerable<ITransformer> Parts(ITransformer transformer)
            => transformer is IEnumerable<ITransformer> chain ? chain.SelectMany(Parts) : [transformer];
    }

    /// <summary>The input's columns and, after them, the outputs.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The image or class column is missing or of the wrong type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        InputOf(inputSchema);
        return OutputSchema.Append(inputSchema, Options.Columns, Model.MapSize, Model.Options.Images.ResizeMode);
    }

    /// <summary>The view with the output columns. Nothing is computed until they are read.</summary>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ScoredDataView(host, this, input);
    }

    /// <summary>
    /// Adapts to other parts in one pass, without training: new memory banks and thresholds for the classes of these rows, other classes
    /// stay. This transformer stays as it was, and the caller's: weights are shared, and each of the two may be disposed first.
    /// </summary>
    /// <param name="support">Rows with the columns the estimator was given; labelled defects serve the threshold.</param>
    /// <param name="regions">Which pixels of these classes' images are inspected, by class name; null, or a class left out: as
    /// <see cref="KagPromptOptions.Regions"/> says.</param>
    /// <returns>The adapted transformer; the caller disposes it.</returns>
    /// <exception cref="InsufficientDataException">There are no rows, or a class has no normal one.</exception>
    /// <exception cref="ArgumentException">A region is of no class of the rows, or leaves nothing to inspect.</exception>
    /// <exception cref="ImageReadException">An image cannot be read, or has another shape than its class's region.</exception>
    public KagPromptTransformer WithSupport(IDataView support, IReadOnlyDictionary<string, InspectionRegion>? regions = null)
    {
        ArgumentNullException.ThrowIfNull(support);
        // A label or support column the new rows do not have was of use to the fit alone.
        var present = Options.Columns with
        {
            Label = Present(support.Schema, Options.Columns.Label),
            Support = Present(support.Schema, Options.Columns.Support),
        };
        var columns = InputColumns.Find(support.Schema, present, Options.Images, fitting: true);
        using var channel = host.Start("WithSupport");
        var adapted = KagPromptTrainer.Adapt(Model, TrainingRows.Read(support, columns, host), new FitProgress(host, channel, null),
            regions: regions);
        // Classes that these rows are not of keep their calibration, which the log was told of before.
        CalibrationLog.Write(channel, adapted, adapted.ClassNames.Where(name
            => !Model.ClassNames.Contains(name) || !ReferenceEquals(Model.CalibrationOf(name), adapted.CalibrationOf(name))));
        return new KagPromptTransformer(host, Options with { Regions = adapted.Options.Regions }, adapted);
    }

    /// <summary>
    /// The same scorer with another decision threshold, for one class or for all. This transformer stays as it was; weights are shared, and
    /// each of the two may be disposed first.
    /// </summary>
    /// <returns>The other scorer; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The threshold is NaN, or the class is not known.</exception>
    public KagPromptTransformer WithThreshold(float threshold, string? className = null)
        => new(host, Options, Model.WithThreshold(threshold, className));

    /// <summary>
    /// The same scorer with thresholds placed anew by the share of normal parts they may reject, from the normal scores the model keeps.
    /// The caller disposes it.
    /// </summary>
    /// <param name="rate">Above 0, at most 0.5.</param>
    /// <param name="className">The class whose threshold is placed; null: every class's.</param>
    /// <exception cref="ArgumentException">The rate is out of range, or the class is not known.</exception>
    /// <exception cref="InsufficientDataException">A class has neither a model of its normal scores nor two of them.</exception>
    public KagPromptTransformer WithFalseRejectRate(float rate, string? className = null)
        => new(host, Options, KagPromptTrainer.Recalibrate(Model, rate, className));

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => new RowMapper(this, inputSchema);

    /// <summary>
    /// Frees the native memory. What is being read meanwhile ends with <see cref="ObjectDisposedException"/>, after the images of the
    /// moment.
    /// </summary>
    public void Dispose() => Model.Dispose();

    /// <summary>The columns scoring reads; with one class, its column may be missing.</summary>
    internal InputColumns InputOf(DataViewSchema schema) => InputColumns.Find(schema,
        Model.ClassNames.Count == 1 ? Options.Columns with { ClassName = Present(schema, Options.Columns.ClassName) } : Options.Columns,
        Options.Images, fitting: false);

    private static string? Present(DataViewSchema schema, string? name)
        => name is not null && schema.GetColumnOrNull(name) is not null ? name : null;
}
