using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>Tensors that are handed out only if their bytes have the SHA-256 they should have. Does not own the source.</summary>
internal sealed class HashedTensors : ITensorSource
{
    private readonly ITensorSource source;
    private readonly IReadOnlyDictionary<string, string> hashes;
    private readonly HashSet<string> unread;

    /// <param name="source">Where the tensors are.</param>
    /// <param name="hashes">Of each of them, lower-case hexadecimal.</param>
    /// <exception cref="CheckpointFormatException">The names differ.</exception>
    public HashedTensors(ITensorSource source, IReadOnlyDictionary<string, string> hashes)
    {
        (this.source, this.hashes, unread) = (source, hashes, [.. source.Entries.Keys]);
        if (hashes.Keys.FirstOrDefault(name => !source.Entries.ContainsKey(name)) is { } missing)
        {
            throw new CheckpointFormatException($"{source.Origin} lacks the tensor '{missing}' that it lists. Save or copy it again.");
        }

        if (source.Entries.Keys.FirstOrDefault(name => !hashes.ContainsKey(name)) is { } stray)
        {
            throw new CheckpointFormatException(
                $"{source.Origin} holds the tensor '{stray}' that it does not list. Save or copy it again.");
        }
    }

    public string Origin => source.Origin;

    public IReadOnlyDictionary<string, TensorInfo> Entries => source.Entries;

    public IReadOnlyDictionary<string, string> Metadata => source.Metadata;

    public bool ReadsInParallel => source.ReadsInParallel;

    /// <summary>Lower-case hexadecimal of a tensor's bytes as they are stored.</summary>
    public static string HashOf(torch.Tensor tensor)
    {
        using var scope = torch.NewDisposeScope();
        return Convert.ToHexStringLower(SHA256.HashData(tensor.detach().cpu().contiguous().bytes));
    }

    public torch.Tensor Read(string name)
    {
        var tensor = source.Read(name);
        if (!string.Equals(HashOf(tensor), hashes[name], StringComparison.Ordinal))
        {
            tensor.Dispose();
            throw new CheckpointFormatException($"{source.Origin}: tensor '{name}' was changed or damaged: "
                + "its SHA-256 is another than when it was saved. Save or copy it again.");
        }

        lock (unread)
        {
            unread.Remove(name);
        }

        return tensor;
    }

    /// <summary>What nothing has asked for is held against its hash too.</summary>
    public void CheckRest()
    {
        foreach (var name in unread.ToArray())
        {
            Read(name).Dispose();
        }
    }

    public void Dispose()
    {
    }
}
