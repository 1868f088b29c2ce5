using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Results.Files;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;

/// <summary>The keys' file as it was read.</summary>
internal sealed class KeyFile
{
    private readonly (DateTime Changed, long Length) stamp;

    private KeyFile(IReadOnlyList<KeyEntry> entries, (DateTime, long) stamp) => (Entries, this.stamp) = (entries, stamp);

    public IReadOnlyList<KeyEntry> Entries { get; }

    public bool IsCurrent(string path) => stamp == StampOf(path);

    /// <summary>Reads it; one that is not there has no keys.</summary>
    /// <exception cref="ResultStoreException">It is damaged; nobody is let in.</exception>
    public static KeyFile Read(string path)
    {
        // Before the reading: what changes meanwhile is seen at the next look.
        var stamp = StampOf(path);
        if (stamp == default)
        {
            return new KeyFile([], stamp);
        }

        try
        {
            var entries = JsonSerializer.Deserialize(File.ReadAllBytes(path), KeyJson.Default.IReadOnlyListKeyEntry) ?? [];
            return entries.All(entry => entry is { Info: not null } && ContentHash.Is(entry.Hash)) ? new KeyFile(entries, stamp)
                : throw new JsonException("an entry has no hash");
        }
        catch (JsonException fault)
        {
            throw new ResultStoreException(
                $"The file of API keys '{path}' is damaged: {fault.Message} Restore it, or delete it and make new keys.", fault);
        }
    }

    public static void Write(string path, IReadOnlyList<KeyEntry> entries)
        => WholeFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(entries, KeyJson.Default.IReadOnlyListKeyEntry),
            UnixFileMode.UserRead | UnixFileMode.UserWrite);

    private static (DateTime Changed, long Length) StampOf(string path)
        => new FileInfo(path) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : default;
}

[JsonSerializable(typeof(IReadOnlyList<KeyEntry>))]
[JsonSourceGenerationOptions(WriteIndented = true)]
internal sealed partial class KeyJson : JsonSerializerContext;
