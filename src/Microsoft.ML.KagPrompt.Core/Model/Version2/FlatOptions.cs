using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Model.Version2;

/// <summary>
/// The method's options as version 0.1.0 wrote them: one flat object. Names and defaults are that version's for good, however the options
/// of today are arranged: what changes with them is <see cref="ToCurrent"/> alone. Its maps had aligned corners.
/// </summary>
internal record FlatOptions
{
    /// <summary>How version 0.1.0 wrote JSON; what it did not know is passed over, and what is missing has its default.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // NaN thresholds exist: a class with nothing to compute one from.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
        MaxDepth = 16,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public string Backbone { get; init; } = "compact";

    public string? MemoryBackbone { get; init; }

    public IReadOnlyList<string> BackboneFolders { get; init; } = [];

    public IReadOnlyList<int>? Taps { get; init; }

    public IReadOnlyList<int>? MemoryTaps { get; init; }

    public BackboneStorage BackboneStorage { get; init; } = BackboneStorage.Auto;

    public Precision Precision { get; init; } = Precision.Float32;

    public int? ImageSize { get; init; }

    public ResizeMode ResizeMode { get; init; } = ResizeMode.Stretch;

    public GraphVariant Variant { get; init; } = GraphVariant.Paper;

    public int Iterations { get; init; } = 5;

    public IReadOnlyDictionary<string, PromptEnsemble> Prompts { get; init; } = new Dictionary<string, PromptEnsemble>();

    public float Gamma { get; init; } = 0.1f;

    public int TopK { get; init; } = 30;

    public MemoryFeatures MemoryFeatures { get; init; } = MemoryFeatures.Patch;

    public bool RotateSupports { get; init; }

    public int MaxSupportImages { get; init; } = 16;

    public int Epochs { get; init; } = 5;

    public bool FromScratch { get; init; }

    public int BatchSize { get; init; } = 16;

    public float? LearningRate { get; init; }

    public float WeightDecay { get; init; } = 1e-3f;

    public float GradientClip { get; init; } = 1f;

    public float FocalWeight { get; init; } = 1f;

    public float? DiceWeight { get; init; }

    public float TargetFalseRejectRate { get; init; } = 0.05f;

    public ThresholdChoice ThresholdBy { get; init; } = ThresholdChoice.Auto;

    public string Device { get; init; } = "auto";

    public int? Seed { get; init; }

    /// <summary>The same in today's arrangement.</summary>
    public InspectionOptions ToCurrent() => new()
    {
        Backbone = ToBackbone(),
        Images = new() { Size = ImageSize, ResizeMode = ResizeMode, MapUpsampling = MapUpsampling.AlignedCorners },
        Method = new KagOptions
        {
            Prompt = ToPrompt(), Memory = ToMemory(), Coreset = CoresetOptions.Off, Fusion = ToFusion(), Training = ToTraining()
        },
        Threshold = ToThreshold(),
        Device = Device,
        Seed = Seed,
    };

    protected BackboneOptions ToBackbone() => new()
    {
        Name = Backbone,
        Taps = Taps,
        MemoryName = MemoryBackbone,
        MemoryTaps = MemoryTaps,
        Folders = BackboneFolders,
        Storage = BackboneStorage,
        Precision = Precision,
    };

    protected ScoreFusion ToFusion() => new() { Gamma = Gamma, TopK = TopK, NearWeight = 0, LocalContrast = 0 };

    protected PromptOptions ToPrompt()
        => new() { Variant = Variant, Iterations = Iterations, Sentences = Prompts, FromScratch = FromScratch };

    protected MemoryOptions ToMemory() => new()
    {
        Features = MemoryFeatures, Views = RotateSupports ? SupportViews.Turned : SupportViews.AsGiven, ViewShare = 1,
        MaxSupportImages = MaxSupportImages
    };

    protected TrainingOptions ToTraining() => new()
    {
        Epochs = Epochs,
        BatchSize = BatchSize,
        LearningRate = LearningRate,
        WeightDecay = WeightDecay,
        GradientClip = GradientClip,
        FocalWeight = FocalWeight,
        DiceWeight = DiceWeight,
    };

    protected ThresholdOptions ToThreshold() => new() { By = ThresholdBy, FalseRejectRate = TargetFalseRejectRate };
}
