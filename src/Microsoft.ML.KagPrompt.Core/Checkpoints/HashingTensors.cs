using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// A safetensors file whose tensors, read in the file's order, are hashed from memory by another thread: the file is read once.
/// What is read out of order, or not at all, is hashed from the file in the end. Not thread-safe. Does not own the file.
/// </summary>
internal sealed class HashingTensors : ITensorSource
{
    // Tensors that wait to be hashed stay in memory whether the caller has converted them meanwhile or not.
    private const int MostWaiting = 8;

    private readonly SafetensorsFile file;
    private readonly string[] order;
    private readonly BlockingCollection<torch.Tensor> waiting = new(MostWaiting);
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Task hashing;
    private int next;

    public HashingTensors(SafetensorsFile file)
    {
        this.file = file;
        order = [.. file.InOrder];
        file.ReadPieces(0, order.Length > 0 ? file.BeginOf(order[0]) : file.Length, piece => hash.AppendData(piece));
        hashing = Task.Run(Hash);
    }

    public string Origin => file.Origin;

    public IReadOnlyDictionary<string, TensorInfo> Entries => file.Entries;

    public IReadOnlyDictionary<string, string> Metadata => file.Metadata;

    public bool ReadsInParallel => false;

    public torch.Tensor Read(string name)
    {
        var tensor = file.Read(name);
        if (next < order.Length && order[next] == name)
        {
            next++;
            // A handle of its own: the caller may dispose the tensor before it is hashed.
            waiting.Add(tensor.alias().DetachFromDisposeScope());
        }

        return tensor;
    }

    /// <summary>The whole file's SHA-256, lower-case hexadecimal. Nothing can be read afterwards.</summary>
    public string Complete()
    {
        waiting.CompleteAdding();
        hashing.GetAwaiter().GetResult();
        file.ReadPieces(next < order.Length ? file.BeginOf(order[next]) : file.Length, file.Length, piece => hash.AppendData(piece));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose()
    {
        waiting.CompleteAdding();
        hashing.ContinueWith(task => task.Exception, TaskScheduler.Default).Wait();
        waiting.Dispose();
        hash.Dispose();
    }

    private void Hash()
    {
        foreach (var tensor in waiting.GetConsumingEnumerable())
        {
            using (tensor)
            {
                hash.AppendData(tensor.bytes);
            }
        }
    }
}
