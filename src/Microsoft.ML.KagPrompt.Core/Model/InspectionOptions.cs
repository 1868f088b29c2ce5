using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Every choice of a fit: backbone, images, method, synthetic defects, threshold.</summary>
/// <remarks>Immutable; safe to share between threads and fits.</remarks>
public sealed record InspectionOptions
{
    /// <summary>Class name of images that carry none; it fills the prompts ("a photo of a flawless object.").</summary>
    public const string DefaultClassName = PromptEnsemble.DefaultClassName;

    /// <summary>Which frozen network sees the images.</summary>
    public BackboneOptions Backbone { get; init; } = new();

    /// <summary>How images are brought to it.</summary>
    public ImageOptions Images { get; init; } = new();

    /// <summary>The method and its own choices.</summary>
    public MethodOptions Method { get; init; } = new KagOptions();

    /// <summary>
    /// How synthetic defects are drawn, by class name (<see cref="SynthesisOptions.MvtecAd"/> has NSA's own for the products of MVTec AD);
    /// classes without an entry take NSA's defaults, with labels fitted to the product's own contrast.
    /// </summary>
    public IReadOnlyDictionary<string, SynthesisOptions> Synthesis
    {
        get;
        // What was given may change; options do not.
        init => field = value?.ToDictionary(entry => entry.Key, entry => entry.Value).AsReadOnly()!;
    } = new Dictionary<string, SynthesisOptions>();

    /// <summary>
    /// Which pixels of the images are inspected, by class name; of classes without an entry, all.
    /// The rest neither enters the memory bank nor raises an alarm.
    /// </summary>
    public IReadOnlyDictionary<string, InspectionRegion> Regions
    {
        get;
        init => field = value?.ToDictionary(entry => entry.Key, entry => entry.Value).AsReadOnly()!;
    } = new Dictionary<string, InspectionRegion>();

    /// <summary>Where the decision threshold is placed.</summary>
    public ThresholdOptions Threshold { get; init; } = new();

    /// <summary>"auto", "cpu", "cuda" or "cuda:N".</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Seed of everything random; null: taken from the surroundings (the MLContext), else 0.</summary>
    public int? Seed { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate()
    {
        var faults = new OptionFaults();
        CollectFaults(faults);
        faults.ThrowIfAny(nameof(InspectionOptions));
    }

    internal void CollectFaults(OptionFaults faults)
    {
        faults
            .Require(Backbone is not null, nameof(Backbone), "options", Backbone)
            .Require(Images is not null, nameof(Images), "options", Images)
            .Require(Method is not null, nameof(Method), "options", Method)
            .Require(Threshold is not null, nameof(Threshold), "options", Threshold)
            .Require(Synthesis is not null, nameof(Synthesis), "options by class name", Synthesis)
            .Require(IsDeviceName(Device), nameof(Device), "\"auto\", \"cpu\", \"cuda\" or \"cuda:N\"", Device)
            .Require(Images is null || Method is null or { TakesTiles: true } || Images.Tiles is ImageOptions.AutoTiles or 1,
                $"{nameof(Images)}.{nameof(ImageOptions.Tiles)}", "1 with this method, which needs whole pictures", Images?.Tiles)
            .Require(Backbone?.MemoryName is null || Method?.Memory?.Features != MemoryFeatures.Graph, "Memory.Features",
                $"{MemoryFeatures.Patch} with a Backbone.MemoryName", MemoryFeatures.Graph)
            .Require(Backbone?.MemoryName is null || Method is null or { HasGraph: true }, "Backbone.MemoryName",
                "null, as only KAG-prompt has a memory bank beside something else", Backbone?.MemoryName);
        Backbone?.CollectFaults(faults, nameof(Backbone));
        Images?.CollectFaults(faults, nameof(Images));
        Method?.CollectFaults(faults);
        Threshold?.CollectFaults(faults, nameof(Threshold));
        foreach (var (name, synthesis) in Synthesis ?? new Dictionary<string, SynthesisOptions>())
        {
            faults.Require(synthesis is not null, $"{nameof(Synthesis)}['{name}']", "options", synthesis);
            synthesis?.CollectFaults(faults, $"{nameof(Synthesis)}['{name}'].");
        }

        faults.Require(Regions is not null, nameof(Regions), "regions by class name", Regions);
        foreach (var (name, region) in Regions ?? new Dictionary<string, InspectionRegion>())
        {
            faults.Require(region is not null, $"{nameof(Regions)}['{name}']", "a region", region)
                .Require(region is not { HasShape: false } || Images?.ResizeMode == ResizeMode.Stretch, $"{nameof(Regions)}['{name}']",
                    $"the images' width and height with Images.ResizeMode {Images?.ResizeMode}, which cuts off what depends on them",
                    "points in shares of the sides");
        }
    }

    internal static bool IsDeviceName(string? device) => device is "auto" or "cpu" or "cuda"
        || (device is not null && device.StartsWith("cuda:", StringComparison.Ordinal) && byte.TryParse(device.AsSpan(5), out _));
}
