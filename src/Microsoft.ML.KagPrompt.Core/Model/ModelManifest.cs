using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>What a saved model says of itself; the tensors lie beside it.</summary>
internal sealed record ModelManifest
{
    public const string FormatName = "kagprompt-model";

    public const int CurrentVersion = 2;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // NaN thresholds exist: a class with nothing to compute one from.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
        MaxDepth = 16,
    };

    public required string Format { get; init; }

    public required int Version { get; init; }

    public required BackboneEntry Backbone { get; init; }

    /// <summary>The memory bank's own tower; null where it shares the other.</summary>
    public BackboneEntry? MemoryBackbone { get; init; }

    public required InspectionOptions Options { get; init; }

    public required bool HasPrompt { get; init; }

    public required IReadOnlyList<ClassEntry> Classes { get; init; }

    /// <summary>A vision tower: its sizes, and the file it is in where the model does not hold it.</summary>
    internal sealed record BackboneEntry(string Name, string Family, string Configuration, VisionReference? Reference = null);

    internal sealed record ClassEntry(string Name, ThresholdCalibration Calibration, bool HasText, bool HasBank);

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Parses and checks everything that does not need the tensors.</summary>
    public static ModelManifest Parse(string json)
    {
        // The version decides whether the rest can be understood at all.
        var header = Deserialize<Header>(json);
        if (header.Format != FormatName || header.Version != CurrentVersion)
        {
            throw new ModelFormatException($"The model's format is '{header.Format}' version {header.Version}: expected '{FormatName}' version {CurrentVersion}. "
                + "It was written by another version of this library: load it with that version, or fit again.");
        }

        var manifest = Deserialize<ModelManifest>(json);
        try
        {
            manifest.Options.Validate();
        }
        catch (ArgumentException fault)
        {
            throw new ModelFormatException($"The model's options are damaged. {fault.Message}", fault);
        }

        if (manifest.Classes.Count == 0 || manifest.Classes.DistinctBy(entry => entry.Name).Count() != manifest.Classes.Count)
        {
            throw new ModelFormatException($"The model lists {manifest.Classes.Count} class(es): expected at least one, each once.");
        }

        // A stranger's manifest may name nothing where a list is due.
        if (manifest.Classes.FirstOrDefault(entry => entry.Calibration is not
            { Method: not null, NormalScores: not null, AnomalousScores: not null, SyntheticScores: not null, Warnings: not null }) is { } broken)
        {
            throw new ModelFormatException($"The calibration of class '{broken.Name}' is damaged: expected a method and lists of scores. Save or fetch the model again.");
        }

        return manifest;
    }

    private static T Deserialize<T>(string json) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, Json) ?? throw new JsonException("null");
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException)
        {
            throw new ModelFormatException($"The model's manifest is damaged: {fault.Message}", fault);
        }
    }

    private sealed record Header(string? Format, int Version);
}
