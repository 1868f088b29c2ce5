using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt.Hosting.Registry;

/// <summary>The registry's small files.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ModelVersion))]
[JsonSerializable(typeof(Activations))]
internal sealed partial class RegistryJson : JsonSerializerContext
{
    // Far above what a version with thousands of photographs takes.
    private const long MostBytes = 16 << 20;

    /// <exception cref="ModelFormatException">It is damaged.</exception>
    public static T Read<T>(string path, JsonTypeInfo<T> type) where T : class
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
            throw new ModelFormatException($"'{path}' is damaged: {JsonFault.Describe(fault)} Restore the file, or delete its version's "
                + "folder.", fault);
        }
    }

    /// <summary>Writes a file that appears whole or not at all.</summary>
    public static void Write<T>(string path, T value, JsonTypeInfo<T> type)
        => WholeFile.Write(path, file => JsonSerializer.Serialize(file, value, type));
}
