using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Graph;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Scoring;
using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>Every choice of the method: backbone, images, graph prompt, memory bank, score, training.</summary>
/// <remarks>Immutable; safe to share between threads and fits.</remarks>
public record InspectionOptions
{
    /// <summary>Class name of images that carry none; it fills the prompts ("a photo of a flawless object.").</summary>
    public const string DefaultClassName = "object";

    /// <summary>"compact", the one embedded in the library; or a directory that <c>kagprompt convert</c> made; or a published checkpoint's file or directory; or the name of one in <see cref="BackboneFolders"/>.</summary>
    public string Backbone { get; init; } = "compact";

    /// <summary>Another backbone for the memory bank alone, named as <see cref="Backbone"/> is; null: the same. One without a text side (DINOv2) can serve here beside prompts of another.</summary>
    public string? MemoryBackbone { get; init; }

    /// <summary>Folders in which backbones are looked for, before those of the environment variable KAGPROMPT_BACKBONES.</summary>
    public IReadOnlyList<string> BackboneFolders { get; init; } = [];

    /// <summary>Blocks of a transformer <see cref="Backbone"/> that are tapped, counted from 1: four, ascending. Null: every quarter of the depth (8, 16, 24, 32 of ImageBind-Huge).</summary>
    public IReadOnlyList<int>? Taps { get; init; }

    /// <summary>As <see cref="Taps"/>, for <see cref="MemoryBackbone"/>.</summary>
    public IReadOnlyList<int>? MemoryTaps { get; init; }

    /// <summary>Whether a saved model holds its vision tower or refers to it.</summary>
    public BackboneStorage BackboneStorage { get; init; } = BackboneStorage.Auto;

    /// <summary>What the vision tower computes in.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>Side S in pixels images are brought to; a multiple of the backbone's patch size. Null: the backbone's own.</summary>
    public int? ImageSize { get; init; }

    /// <summary>How images are brought to S × S.</summary>
    public ResizeMode ResizeMode { get; init; } = ResizeMode.Stretch;

    /// <summary>The paper's graph prompt, or the one of the authors' published code, which their checkpoints need.</summary>
    public GraphVariant Variant { get; init; } = GraphVariant.Paper;

    /// <summary>Rounds T of message passing in the graph, 0 to 64 (equations 3 to 10); 0: no graph, the multi-kernel convolution alone.</summary>
    public int Iterations { get; init; } = 5;

    /// <summary>Own prompts by class name; classes without an entry take the paper's.</summary>
    public IReadOnlyDictionary<string, PromptEnsemble> Prompts { get; init; } = new Dictionary<string, PromptEnsemble>();

    /// <summary>γ in 0..1: weight of the prompt branch in map and score (equations 14 and 16).</summary>
    public float Gamma { get; init; } = 0.1f;

    /// <summary>k: how many of the map's largest values the image score averages, counted on a 224 × 224 map (equation 16).</summary>
    public int TopK { get; init; } = 30;

    /// <summary>What the memory bank holds.</summary>
    public MemoryFeatures MemoryFeatures { get; init; } = MemoryFeatures.Patch;

    /// <summary>Whether supports enter the bank in all four 90° rotations; for parts that lie in any orientation.</summary>
    public bool RotateSupports { get; init; }

    /// <summary>Most normal images per class that enter the memory bank when none is flagged as support.</summary>
    public int MaxSupportImages { get; init; } = 16;

    /// <summary>
    /// Passes over the normal images when training the graph prompt; 0: no training. The default suits going on from the compact backbone's prompt (measured: docs/compact-backbone.md); an untrained one
    /// needs more: the paper takes 50 (MVTec AD) and 80 (VisA).
    /// </summary>
    public int Epochs { get; init; } = 5;

    /// <summary>
    /// Whether the graph prompt starts untrained: not from the initial model's, nor from the one that comes with the compact backbone (variant Paper, 5 iterations). Without
    /// training (<see cref="Epochs"/> = 0) the memory bank then scores alone.
    /// </summary>
    public bool FromScratch { get; init; }

    /// <summary>Normal images a step; each comes with its synthetic twin.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>
    /// AdamW's learning rate after the warm-up, above 0. Null: the paper's 0.001; but 0.0002 where training goes on from a trained prompt (the compact backbone's own, an initial model's, the authors'),
    /// which larger steps may make forget (measured with the compact backbone's: docs/compact-backbone.md).
    /// </summary>
    public float? LearningRate { get; init; }

    /// <summary>AdamW's decoupled weight decay.</summary>
    public float WeightDecay { get; init; } = 1e-3f;

    /// <summary>Largest gradient norm of a step.</summary>
    public float GradientClip { get; init; } = 1f;

    /// <summary>λ1: weight of the focal loss (equation 17).</summary>
    public float FocalWeight { get; init; } = 1f;

    /// <summary>
    /// λ2: weight of the dice losses (equation 17), 0 or more. Null: the paper's 1; but 0 with the compact backbone and the paper's variant, where they teach the prompt to call everything normal
    /// (measured: docs/compact-backbone.md).
    /// </summary>
    public float? DiceWeight { get; init; }

    /// <summary>Share of normal parts, in (0, 0.5], that the decision threshold may reject where it is placed by it (<see cref="ThresholdBy"/>).</summary>
    public float TargetFalseRejectRate { get; init; } = 0.05f;

    /// <summary>By what the decision threshold is placed.</summary>
    public ThresholdChoice ThresholdBy { get; init; } = ThresholdChoice.Auto;

    /// <summary>"auto", "cpu" or "cuda:N".</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Seed of everything random; null: taken from the surroundings (the MLContext), else 0.</summary>
    public int? Seed { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate()
    {
        var faults = new OptionFaults();
        CollectFaults(faults);
        faults.ThrowIfAny(GetType().Name);
    }

    /// <summary>
    /// A copy without what a derived type adds, so that a model never holds on to it, with lists of its own that nobody can change.
    /// </summary>
    internal InspectionOptions MethodOnly() => new(this)
    {
        BackboneFolders = Array.AsReadOnly(BackboneFolders.ToArray()),
        Taps = Taps is null ? null : Array.AsReadOnly(Taps.ToArray()),
        MemoryTaps = MemoryTaps is null ? null : Array.AsReadOnly(MemoryTaps.ToArray()),
        Prompts = Prompts.ToDictionary(entry => entry.Key, entry => entry.Value).AsReadOnly(),
    };

    internal virtual void CollectFaults(OptionFaults faults)
    {
        foreach (var (name, ensemble) in Prompts ?? new Dictionary<string, PromptEnsemble>())
        {
            faults.Require(ensemble is not null, $"{nameof(Prompts)}['{name}']", "an ensemble", ensemble);
            ensemble?.CollectFaults(faults, $"{nameof(Prompts)}['{name}']");
        }

        CollectValues(faults);
    }

    private void CollectValues(OptionFaults faults) => faults
        .Require(!string.IsNullOrWhiteSpace(Backbone), nameof(Backbone), "a backbone's name or place", Backbone)
        .Require(MemoryBackbone is null || !string.IsNullOrWhiteSpace(MemoryBackbone), nameof(MemoryBackbone), "a backbone's name or place, or null", MemoryBackbone)
        .Require(MemoryBackbone is null || MemoryFeatures == MemoryFeatures.Patch, nameof(MemoryFeatures), "Patch with a MemoryBackbone", MemoryFeatures)
        .Require(AreTaps(Taps), nameof(Taps), "four blocks, ascending from 1, or null", Taps is null ? null : string.Join(", ", Taps))
        .Require(AreTaps(MemoryTaps), nameof(MemoryTaps), "four blocks, ascending from 1, or null", MemoryTaps is null ? null : string.Join(", ", MemoryTaps))
        .Require(MemoryTaps is null || MemoryBackbone is not null, nameof(MemoryTaps), "null without a MemoryBackbone", MemoryTaps is null ? null : string.Join(", ", MemoryTaps))
        .Require(BackboneFolders?.All(folder => !string.IsNullOrWhiteSpace(folder)) == true, nameof(BackboneFolders), "folders, none blank", BackboneFolders)
        .Require(Enum.IsDefined(BackboneStorage), nameof(BackboneStorage), "a defined value", BackboneStorage)
        .Require(Enum.IsDefined(Precision), nameof(Precision), "a defined precision", Precision)
        .Require(Prompts is not null, nameof(Prompts), "prompts by class name", Prompts)
        .Require(ImageSize is null or (>= 32 and <= 2048), nameof(ImageSize), "32 to 2048 or null", ImageSize)
        .Require(Enum.IsDefined(ResizeMode), nameof(ResizeMode), "a defined mode", ResizeMode)
        .Require(Enum.IsDefined(Variant), nameof(Variant), "a defined variant", Variant)
        .Require(Iterations is >= 0 and <= 64, nameof(Iterations), "0 to 64", Iterations)
        .Require(Gamma is >= 0 and <= 1, nameof(Gamma), "0 to 1", Gamma)
        .Require(TopK is >= 1 and <= 224 * 224, nameof(TopK), "1 to 50176", TopK)
        .Require(Enum.IsDefined(MemoryFeatures), nameof(MemoryFeatures), "a defined kind", MemoryFeatures)
        .Require(MaxSupportImages is >= 1 and <= 10_000, nameof(MaxSupportImages), "1 to 10000", MaxSupportImages)
        .Require(Epochs is >= 0 and <= 100_000, nameof(Epochs), "0 to 100000", Epochs)
        .Require(BatchSize is >= 1 and <= 4096, nameof(BatchSize), "1 to 4096", BatchSize)
        .Require(LearningRate is null or (> 0 and <= float.MaxValue), nameof(LearningRate), "a positive number, or null", LearningRate)
        .Require(float.IsFinite(WeightDecay) && WeightDecay >= 0, nameof(WeightDecay), "0 or more", WeightDecay)
        .Require(float.IsFinite(GradientClip) && GradientClip > 0, nameof(GradientClip), "a positive number", GradientClip)
        .Require(float.IsFinite(FocalWeight) && FocalWeight >= 0, nameof(FocalWeight), "0 or more", FocalWeight)
        .Require(DiceWeight is null or (>= 0 and <= float.MaxValue), nameof(DiceWeight), "0 or more, or null", DiceWeight)
        .Require(TargetFalseRejectRate is > 0 and <= 0.5f, nameof(TargetFalseRejectRate), "above 0, at most 0.5", TargetFalseRejectRate)
        .Require(Enum.IsDefined(ThresholdBy), nameof(ThresholdBy), "a defined choice", ThresholdBy)
        .Require(IsDeviceName(Device), nameof(Device), "\"auto\", \"cpu\", \"cuda\" or \"cuda:N\"", Device);

    private static bool AreTaps(IReadOnlyList<int>? taps) => taps is null || (taps.Count == 4 && taps[0] >= 1 && taps.Zip(taps.Skip(1)).All(pair => pair.First < pair.Second));

    private static bool IsDeviceName(string? device) => device is "auto" or "cpu" or "cuda"
        || (device is not null && device.StartsWith("cuda:", StringComparison.Ordinal) && byte.TryParse(device.AsSpan(5), out _));
}
