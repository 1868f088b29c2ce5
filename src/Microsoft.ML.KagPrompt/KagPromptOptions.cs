using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Fitting;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// All choices of <c>DetectAnomaliesKag</c>, grouped by what they serve. The defaults are a good start: <c>new()</c> asks for nothing.
/// </summary>
/// <remarks>Immutable; safe to share between threads and fits.</remarks>
public sealed partial record KagPromptOptions
{
    /// <summary>Which frozen network sees the images.</summary>
    public BackboneOptions Backbone { get; init; } = new();

    /// <summary>How images are brought to it.</summary>
    public ImageOptions Images { get; init; } = new();

    /// <summary>
    /// Another method than KAG-prompt, for comparison, and its own choices; null: KAG-prompt. With one, <see cref="Prompt"/>,
    /// <see cref="Memory"/>, <see cref="Coreset"/>, <see cref="Fusion"/> and <see cref="Training"/> stay as they are: they are
    /// KAG-prompt's.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MethodOptions? Method { get; init; }

    /// <summary>The graph prompt.</summary>
    public PromptOptions Prompt { get; init; } = new();

    /// <summary>Which normal images a class remembers.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>How many of their patches every patch is held against.</summary>
    public CoresetOptions Coreset { get; init; } = new();

    /// <summary>How the branches are put together.</summary>
    public ScoreFusion Fusion { get; init; } = new();

    /// <summary>How the graph prompt is trained.</summary>
    public TrainingOptions Training { get; init; } = new();

    /// <inheritdoc cref="InspectionOptions.Synthesis"/>
    public IReadOnlyDictionary<string, SynthesisOptions> Synthesis
    {
        get;
        // What was given may change; options do not.
        init => field = value?.ToDictionary(entry => entry.Key, entry => entry.Value).AsReadOnly()!;
    } = new Dictionary<string, SynthesisOptions>();

    /// <inheritdoc cref="InspectionOptions.Regions"/>
    public IReadOnlyDictionary<string, InspectionRegion> Regions
    {
        get;
        init => field = value?.ToDictionary(entry => entry.Key, entry => entry.Value).AsReadOnly()!;
    } = new Dictionary<string, InspectionRegion>();

    /// <summary>Where the decision threshold is placed.</summary>
    public ThresholdOptions Threshold { get; init; } = new();

    /// <summary>The columns that are read and written.</summary>
    public ColumnOptions Columns { get; init; } = new();

    /// <summary>
    /// Rows a cursor reads ahead and scores together, 0 to 1024. 0: as many as go through the network together on the model's device:
    /// up to 8 on the processor and 32 on a graphics card, fewer of large images.
    /// </summary>
    public int InferenceBatchSize { get; init; }

    /// <summary>"auto", "cpu", "cuda" or "cuda:N".</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Seed of everything random; null: the MLContext's, else 0.</summary>
    public int? Seed { get; init; }

    /// <summary>A fitted transformer whose backbone and graph prompt are the starting point; it stays the caller's and as it was.</summary>
    [JsonIgnore]
    public KagPromptTransformer? InitialModel { get; init; }

    /// <summary>
    /// Instead of <see cref="InitialModel"/>: a model zip with one <see cref="KagPromptTransformer"/> as the starting point.
    /// </summary>
    [JsonIgnore]
    public string? InitialModelPath { get; init; }

    /// <summary>Called at every step of a fit, on the fitting thread, beside the MLContext's log.</summary>
    [JsonIgnore]
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Stops a fit between images and steps; ML.NET's own cancellation does too.</summary>
    [JsonIgnore]
    public CancellationToken Cancellation { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate()
    {
        var faults = new OptionFaults();
        faults
            .Require(Prompt is not null && Fusion is not null && Training is not null && Memory is not null && Coreset is not null,
                "groups of options", "none null", "null")
            .Require(Columns is not null, nameof(Columns), "columns", Columns)
            .Require(InferenceBatchSize is >= 0 and <= 1024, nameof(InferenceBatchSize), "0 (the device's own) to 1024", InferenceBatchSize)
            .Require(InitialModel is null || InitialModelPath is null, nameof(InitialModel),
                "at most one of InitialModel and InitialModelPath", "both");
        faults
            .Require(Method is not KagOptions, nameof(Method), "null for KAG-prompt, whose choices are groups beside it", "KAG-prompt's")
            .Require(Method is null || HasPlainGroups, nameof(Method),
                "another method with Prompt, Memory, Coreset, Fusion and Training as they are, which are KAG-prompt's",
                Method is null ? null : InspectionMethods.NameOf(Method));
        Columns?.CollectFaults(faults, nameof(Columns));
        ForModel().CollectFaults(faults);
        faults.ThrowIfAny(nameof(KagPromptOptions));
    }

    /// <summary>Whether nothing was chosen for KAG-prompt.</summary>
    private bool HasPlainGroups => Memory == new MemoryOptions() && Coreset == new CoresetOptions()
        && Fusion == new ScoreFusion() && Training == new TrainingOptions()
        && Prompt is { Variant: GraphVariant.Paper, FromScratch: false, CheckpointPath: null, Sentences.Count: 0 }
        && Prompt.Iterations == new PromptOptions().Iterations;

    /// <summary>What the model itself must know.</summary>
    internal InspectionOptions ForModel() => new()
    {
        Backbone = Backbone,
        Images = Images,
        Method = Method ?? new KagOptions { Prompt = Prompt, Memory = Memory, Coreset = Coreset, Fusion = Fusion, Training = Training },
        Synthesis = Synthesis,
        Regions = Regions,
        Threshold = Threshold,
        Device = Device,
        Seed = Seed,
    };
}
