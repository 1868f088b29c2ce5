using System.Text.Json;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Results.Files;

namespace Microsoft.ML.KagPrompt.Station.Storage;

/// <summary>Records as files: whole or not there.</summary>
internal static class JsonFiles
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static void Write<T>(string path, T value)
        => WholeFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(value, Options));

    /// <summary>What a file holds; null: it is not there.</summary>
    /// <exception cref="InvalidOperationException">It is damaged.</exception>
    public static T? Read<T>(string path) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Options);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException fault)
        {
            throw new InvalidOperationException($"'{path}' is damaged: {fault.Message} Restore it from a backup, or delete it.", fault);
        }
    }
}
