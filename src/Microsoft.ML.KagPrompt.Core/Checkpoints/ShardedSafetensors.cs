using System.Text.Json;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Several safetensors files under one index ("weight_map": each tensor's file, beside the index). Reading is thread-safe.
/// </summary>
internal sealed class ShardedSafetensors : ITensorSource
{
    private const long LargestIndex = 64 << 20;
    private const int MostShards = 1000;

    private readonly Dictionary<string, SafetensorsFile> shards;
    private readonly Dictionary<string, SafetensorsFile> shardOf;

    private ShardedSafetensors(string origin, Dictionary<string, SafetensorsFile> shards, Dictionary<string, SafetensorsFile> shardOf)
    {
        (Origin, this.shards, this.shardOf) = (origin, shards, shardOf);
        Entries = shardOf.ToDictionary(entry => entry.Key, entry => entry.Value.Entries[entry.Key]);
    }

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Entries { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <summary>Opens an index and all its shards.</summary>
    /// <exception cref="CheckpointFormatException">The index or a shard is damaged, a shard is missing, or they disagree.</exception>
    /// <exception cref="IOException">A file cannot be opened.</exception>
    public static ShardedSafetensors Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var fileOf = ReadIndex(path);
        var shards = new Dictionary<string, SafetensorsFile>();
        try
        {
            foreach (var name in fileOf.Values.Distinct())
            {
                var shard = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name);
                shards.Add(name, File.Exists(shard) ? SafetensorsFile.Open(shard)
                    : throw new CheckpointFormatException(
                        $"{path} names the shard '{name}', which is not beside it. Fetch all files of the model."));
            }

            Compare(path, fileOf, shards);
            return new ShardedSafetensors(path, shards, fileOf.ToDictionary(entry => entry.Key, entry => shards[entry.Value]));
        }
        catch
        {
            foreach (var shard in shards.Values)
            {
                shard.Dispose();
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public bool ReadsInParallel => true;

    /// <inheritdoc/>
    public torch.Tensor Read(string name) => shardOf.TryGetValue(name, out var shard)
        ? shard.Read(name)
        : throw new KeyNotFoundException($"{Origin} holds no tensor '{name}'.");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var shard in shards.Values)
        {
            shard.Dispose();
        }
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(SmallFile.ReadAll(path, LargestIndex), new JsonDocumentOptions { MaxDepth = 8 });
            var files = new Dictionary<string, string>();
            foreach (var entry in json.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                // A shard lies beside its index: a path would let a stranger's index open files elsewhere.
                var file = entry.Value.GetString();
                if (string.IsNullOrEmpty(file) || file is "." or ".." || file.AsSpan().IndexOfAny(['/', '\\', ':', '\0']) >= 0
                    || !files.TryAdd(entry.Name, file))
                {
                    throw new CheckpointFormatException(
                        $"{path}: expected each tensor once with a file name beside the index, got '{entry.Name}' in '{file}'.");
                }
            }

            return files.Values.Distinct().Count() is > 0 and <= MostShards ? files
                : throw new CheckpointFormatException($"{path}: expected 1 to {MostShards} shards, got {files.Values.Distinct().Count()}.");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CheckpointFormatException(
                $"{path} is not an index of safetensors shards or is damaged: {fault.Message} Fetch the file again.",
                fault);
        }
    }

    private static void Compare(string path, Dictionary<string, string> fileOf, Dictionary<string, SafetensorsFile> shards)
    {
        foreach (var (name, file) in fileOf)
        {
            if (!shards[file].Entries.ContainsKey(name))
            {
                throw new CheckpointFormatException(
                    $"{path} says that '{name}' is in '{file}', which does not hold it. Fetch all files of the model again.");
            }
        }

        foreach (var (file, shard) in shards)
        {
            if (shard.Entries.Keys.FirstOrDefault(name => !fileOf.TryGetValue(name, out var listed) || listed != file) is { } stray)
            {
                throw new CheckpointFormatException($"{path}: shard '{file}' holds '{stray}', which the index does not place there. "
                    + "Fetch all files of the model again.");
            }
        }
    }
}
