using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Which frozen network sees the images, and how it computes.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record BackboneOptions
{
    /// <summary>
    /// One embedded in the library: "resnet18", an ImageNet network for the memory bank, which has no text side; or "compact", a small one
    /// for which a graph prompt comes along. Or a directory that <c>kagprompt convert</c> made; or a published checkpoint's file or
    /// directory; or the name of one in <see cref="Folders"/>.
    /// </summary>
    public string Name { get; init; } = BackboneSources.ResNet18;

    /// <summary>
    /// Blocks of a transformer that are tapped, counted from 1: four, ascending. Null: every quarter of the depth (8, 16, 24, 32 of
    /// ImageBind-Huge). Of a residual network: one or more of its stages.
    /// </summary>
    public IReadOnlyList<int>? Taps { get; init => field = Copy(value); }

    /// <summary>
    /// Another backbone for the memory bank alone, named as <see cref="Name"/> is; null: the same.
    /// One without a text side (DINOv2) can serve here beside prompts of another.
    /// </summary>
    public string? MemoryName { get; init; }

    /// <summary>As <see cref="Taps"/>, for <see cref="MemoryName"/>.</summary>
    public IReadOnlyList<int>? MemoryTaps { get; init => field = Copy(value); }

    /// <summary>
    /// Folders in which backbones are looked for, before those of the environment variable KAGPROMPT_BACKBONES. They are this machine's:
    /// a saved model does not keep them.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<string> Folders { get; init => field = Copy(value)!; } = [];

    /// <summary>Whether a saved model holds its vision tower or refers to it.</summary>
    public BackboneStorage Storage { get; init; } = BackboneStorage.Auto;

    /// <summary>What the vision tower computes in.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    internal void CollectFaults(OptionFaults faults, string group) => faults
        .Require(!string.IsNullOrWhiteSpace(Name), $"{group}.{nameof(Name)}", "a backbone's name or place", Name)
        .Require(MemoryName is null || !string.IsNullOrWhiteSpace(MemoryName), $"{group}.{nameof(MemoryName)}",
            "a backbone's name or place, or null", MemoryName)
        .Require(AreTaps(Taps), $"{group}.{nameof(Taps)}", "one to four blocks or stages, ascending from 1, or null", Text(Taps))
        .Require(AreTaps(MemoryTaps), $"{group}.{nameof(MemoryTaps)}",
            "one to four blocks or stages, ascending from 1, or null", Text(MemoryTaps))
        .Require(MemoryTaps is null || MemoryName is not null, $"{group}.{nameof(MemoryTaps)}",
            $"null without a {nameof(MemoryName)}", Text(MemoryTaps))
        .Require(Folders?.All(folder => !string.IsNullOrWhiteSpace(folder)) == true, $"{group}.{nameof(Folders)}",
            "folders, none blank", Folders)
        .Require(Enum.IsDefined(Storage), $"{group}.{nameof(Storage)}", "a defined value", Storage)
        .Require(Enum.IsDefined(Precision), $"{group}.{nameof(Precision)}", "a defined precision", Precision);

    /// <summary>What was given may change; options do not.</summary>
    private static IReadOnlyList<T>? Copy<T>(IReadOnlyList<T>? values) => values is null ? null : Array.AsReadOnly(values.ToArray());

    private static bool AreTaps(IReadOnlyList<int>? taps)
        => taps is null || (taps.Count is >= 1 and <= 4 && taps[0] >= 1 && taps.Zip(taps.Skip(1)).All(pair => pair.First < pair.Second));

    private static string? Text(IReadOnlyList<int>? taps) => taps is null ? null : string.Join(", ", taps);
}
