using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Backbones.Published;

/// <summary>backbone.json of a converted backbone's directory: what it is, and its files by content.</summary>
internal sealed record BackboneManifest
{
    public const string FileName = "backbone.json";
    public const string FormatName = "kagprompt-backbone";
    public const int CurrentVersion = 1;

    private const long Largest = 1 << 20;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
        MaxDepth = 16,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public required string Format { get; init; }

    public required int Version { get; init; }

    public required string Name { get; init; }

    public required string Family { get; init; }

    public required string Licence { get; init; }

    /// <summary>Name of the file it was converted from.</summary>
    public required string Source { get; init; }

    public required VisionTransformerConfig VisionConfiguration { get; init; }

    public required VisionReference Vision { get; init; }

    public TextTransformerConfig? TextConfiguration { get; init; }

    public VisionReference? Text { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="CheckpointFormatException">It is damaged or of another version.</exception>
    public static BackboneManifest Read(string directory)
    {
        var path = Path.Combine(directory, FileName);
        try
        {
            var manifest = JsonSerializer.Deserialize<BackboneManifest>(SmallFile.ReadAll(path, Largest), Json)
                ?? throw new JsonException("null");
            if (manifest.Format != FormatName || manifest.Version != CurrentVersion)
            {
                throw new CheckpointFormatException($"{path}: expected format '{FormatName}' version {CurrentVersion}, "
                    + $"got '{manifest.Format}' version {manifest.Version}. Convert the backbone again.");
            }

            foreach (var file in new[] { manifest.Vision, manifest.Text }.OfType<VisionReference>())
            {
                if (file.FileName.AsSpan().IndexOfAny(['/', '\\', ':', '\0']) >= 0 || file.FileName is "" or "." or "..")
                {
                    throw new CheckpointFormatException($"{path}: expected a file name beside it, got '{file.FileName}'. "
                        + "Convert the backbone again.");
                }
            }

            manifest.VisionConfiguration.Validate();
            manifest.TextConfiguration?.Validate();
            return manifest;
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or NotSupportedException or InvalidOperationException
            or FormatException or OverflowException)
        {
            throw new CheckpointFormatException($"{path} is damaged: {JsonFault.Describe(fault)} Convert the backbone again.", fault);
        }
    }
}
