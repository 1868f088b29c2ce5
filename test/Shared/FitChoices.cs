namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>The choices that tests of the core vary, side by side, so that "the same but for one" is one word.</summary>
internal sealed record FitChoices
{
    public string Backbone { get; init; } = "compact";

    public string? MemoryBackbone { get; init; }

    public IReadOnlyList<string> BackboneFolders { get; init; } = [];

    public IReadOnlyList<int>? Taps { get; init; }

    public IReadOnlyList<int>? MemoryTaps { get; init; }

    public BackboneStorage BackboneStorage { get; init; } = BackboneStorage.Auto;

    public Precision Precision { get; init; } = Precision.Float32;

    public int? ImageSize { get; init; }

    public ResizeMode ResizeMode { get; init; } = ResizeMode.Stretch;

    public MapUpsampling MapUpsampling { get; init; } = MapUpsampling.CellCentres;

    public GraphVariant Variant { get; init; } = GraphVariant.Paper;

    public int Iterations { get; init; } = 5;

    public IReadOnlyDictionary<string, PromptEnsemble> Prompts { get; init; } = new Dictionary<string, PromptEnsemble>();

    public bool FromScratch { get; init; }

    public string? CheckpointPath { get; init; }

    public float Gamma { get; init; } = 0.1f;

    public int TopK { get; init; } = 30;

    public float NearWeight { get; init; }

    public float LocalContrast { get; init; }

    public MemoryFeatures MemoryFeatures { get; init; } = MemoryFeatures.Patch;

    public bool RotateSupports { get; init; }

    public int MaxSupportImages { get; init; } = 16;

    public CoresetOptions Coreset { get; init; } = CoresetOptions.Off;

    public int Epochs { get; init; } = 5;

    public int? BatchSize { get; init; }

    public float? LearningRate { get; init; }

    public float GradientClip { get; init; } = 1;

    public float? DiceWeight { get; init; }

    public IReadOnlyDictionary<string, SynthesisOptions> Synthesis { get; init; } = new Dictionary<string, SynthesisOptions>();

    public float TargetFalseRejectRate { get; init; } = 0.05f;

    public ThresholdChoice ThresholdBy { get; init; } = ThresholdChoice.Auto;

    public string Device { get; init; } = "cpu";

    public int? Seed { get; init; }

    /// <summary>KAG-prompt's own of them.</summary>
    public KagOptions Kag => new()
    {
        Prompt = new()
        {
            Variant = Variant,
            Iterations = Iterations,
            Sentences = Prompts,
            FromScratch = FromScratch,
            CheckpointPath = CheckpointPath,
        },
        Memory = new()
        {
            Features = MemoryFeatures,
            Views = RotateSupports ? SupportViews.Turned : SupportViews.AsGiven,
            ViewShare = 1,
            MaxSupportImages = MaxSupportImages,
        },
        Coreset = Coreset,
        Fusion = new() { Gamma = Gamma, TopK = TopK, NearWeight = NearWeight, LocalContrast = LocalContrast },
        Training = new()
        {
            Epochs = Epochs,
            BatchSize = BatchSize,
            LearningRate = LearningRate,
            GradientClip = GradientClip,
            DiceWeight = DiceWeight,
        },
    };

    public static implicit operator InspectionOptions(FitChoices choices) => new()
    {
        Backbone = new()
        {
            Name = choices.Backbone,
            MemoryName = choices.MemoryBackbone,
            Folders = choices.BackboneFolders,
            Taps = choices.Taps,
            MemoryTaps = choices.MemoryTaps,
            Storage = choices.BackboneStorage,
            Precision = choices.Precision,
        },
        Images = new() { Size = choices.ImageSize, ResizeMode = choices.ResizeMode, MapUpsampling = choices.MapUpsampling },
        Method = choices.Kag,
        Synthesis = choices.Synthesis,
        Threshold = new() { By = choices.ThresholdBy, FalseRejectRate = choices.TargetFalseRejectRate },
        Device = choices.Device,
        Seed = choices.Seed,
    };
}
