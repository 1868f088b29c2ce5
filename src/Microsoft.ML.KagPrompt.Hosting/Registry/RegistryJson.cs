using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Hosting.Registry;

/// <summary>What was active, oldest first; the last one is.</summary>
internal sealed record Activations
{
    public IReadOnlyList<Activation> History { get; init; } = [];

    /// <summary>The active version's name; null: none is.</summary>
    [JsonIgnore]
    public string? Active => History.LastOrDefault()?.Version;
}

/// <param name="Version">Null: none.</param>
/// <param name="At">When.</param>
/// <param name="By">Who decided it.</param>
internal sealed record Activation(string? Version, DateTimeOffset At, string By);

/// <summary>The registry's small files.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ModelVersion))]
[JsonSerializable(typeof(Activations))]
internal sealed partial class RegistryJson : JsonSerializerContext
{
    // Far above what a version with thousands of photographs takes.
    private const long MostBytes = 16 << 20;

    /// <exception cref="ModelFormatException">It is damaged.</exception>
    public static T Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return file.Length <= MostBytes && JsonSerializer.Deserialize(file, type) is { } value ? value
                : throw new ModelFormatException($"'{path}': expected at most {MostBytes} bytes of JSON that a registry wrote. "
                    + "Restore the file, or delete its version's folder.");
        }
        catch (JsonException fault)
        {
            throw new ModelFormatException($"'{path}' is damaged: {JsonFault.Describe(fault)} Restore the file, or delete its version's folder.",
                fault);
        }
    }

    /// <summary>Writes a file that appears whole or not at all.</summary>
    public static void Write<T>(string path, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        // In the same folder: a move to another disk is a copy, which can be seen half done.
        var unfinished = $"{path}.{Path.GetRandomFileName()}{FolderLayout.Unfinished}";
        try
        {
            using (var file = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                JsonSerializer.Serialize(file, value, type);
                file.Flush(flushToDisk: true);
            }

            File.Move(unfinished, path, overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }
}
