using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt;

/// <summary>What a saved model is, told without loading it: neither its weights are read, nor the backbone it may refer to.</summary>
/// <remarks>Immutable.</remarks>
public sealed record ModelDescription
{
    /// <summary>Version of the format it is in.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>Its backbone: preset, or family and sizes.</summary>
    public required string Backbone { get; init; }

    /// <summary>The file the backbone is in, where the model does not hold it; null: it does.</summary>
    public required BackboneFile? BackboneFile { get; init; }

    /// <summary>The memory bank's own backbone; null where it shares the other.</summary>
    public required string? MemoryBackbone { get; init; }

    /// <summary>As <see cref="BackboneFile"/>, for <see cref="MemoryBackbone"/>.</summary>
    public required BackboneFile? MemoryBackboneFile { get; init; }

    /// <summary>Whether a graph prompt takes part in the scores; without one the memory bank alone scores.</summary>
    public required bool HasPrompt { get; init; }

    /// <summary>The options it was fitted with.</summary>
    public required InspectionOptions Options { get; init; }

    /// <summary>The classes it knows, by name.</summary>
    public required IReadOnlyList<ClassDescription> Classes { get; init; }

    /// <summary>Bytes of the backbones that it holds, before compression.</summary>
    public required long BackboneBytes { get; init; }

    /// <summary>Bytes of the graph prompt.</summary>
    public required long PromptBytes { get; init; }

    /// <summary>Describes what <see cref="KagPromptModel.Save(Stream)"/> wrote, to the stream's end.</summary>
    /// <exception cref="ModelFormatException">The stream is damaged or of another version.</exception>
    public static ModelDescription Read(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            using var file = SafetensorsFile.Read(source, "model");
            return From(ModelArchive.ManifestOf(file), file);
        }
        catch (CheckpointFormatException fault)
        {
            throw new ModelFormatException($"The saved model is damaged: {fault.Message}", fault);
        }
    }

    private static ModelDescription From(ModelManifest manifest, SafetensorsFile file)
    {
        long Bytes(params string[] prefixes)
            => file.Entries.Values.Where(entry => prefixes.Any(prefix => entry.Name.StartsWith(prefix, StringComparison.Ordinal)))
                .Sum(entry => entry.ByteCount);
        return new()
        {
            FormatVersion = manifest.Version,
            Backbone = manifest.Backbone.Name,
            BackboneFile = File(manifest.Backbone.Reference),
            MemoryBackbone = manifest.MemoryBackbone?.Name,
            MemoryBackboneFile = File(manifest.MemoryBackbone?.Reference),
            HasPrompt = manifest.HasPrompt,
            Options = manifest.Options,
            Classes =
            [
                .. manifest.Classes.Select((entry, i) => new ClassDescription(entry.Name, entry.Calibration,
                    file.Entries.TryGetValue($"class.{i}.bank.0", out var layer) && layer.Shape.Count > 0 ? layer.Shape[0] : 0,
                    Bytes($"class.{i}.")))
                    .OrderBy(entry => entry.Name, StringComparer.Ordinal),
            ],
            BackboneBytes = Bytes(ModelArchive.VisionPrefix, ModelArchive.MemoryVisionPrefix),
            PromptBytes = Bytes(ModelArchive.PromptPrefix),
        };
    }

    private static BackboneFile? File(VisionReference? reference)
        => reference is null ? null : new(reference.FileName, reference.Length, reference.Sha256);
}

/// <summary>A backbone's file that a model refers to, known by its content.</summary>
/// <param name="Name">What it was called.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Sha256">Their SHA-256, lower-case hexadecimal.</param>
public sealed record BackboneFile(string Name, long Length, string Sha256);

/// <summary>A class of a saved model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Calibration">How its threshold came about, and what may be expected of it.</param>
/// <param name="BankPatches">Patches in its memory bank; 0: it has none.</param>
/// <param name="Bytes">What it takes, before compression.</param>
public sealed record ClassDescription(string Name, ThresholdCalibration Calibration, long BankPatches, long Bytes);
