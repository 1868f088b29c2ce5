using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>What a weights file says of one tensor before it is read.</summary>
/// <param name="Name">Its key in the file.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its sizes, outermost first.</param>
internal sealed record TensorInfo(string Name, torch.ScalarType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Product of the sizes.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Its bytes as stored.</summary>
    public long ByteCount => checked(ElementCount * Type switch
    {
        torch.ScalarType.Float64 or torch.ScalarType.Int64 => 8,
        torch.ScalarType.Float32 or torch.ScalarType.Int32 => 4,
        torch.ScalarType.Float16 or torch.ScalarType.BFloat16 or torch.ScalarType.Int16 => 2,
        _ => 1,
    });
}

/// <summary>Named tensors on disk or in memory, read one at a time.</summary>
/// <remarks>Not thread-safe unless <see cref="ReadsInParallel"/>. Disposing closes the file; tensors already read live on.</remarks>
internal interface ITensorSource : IDisposable
{
    /// <summary>Where it comes from, for messages.</summary>
    string Origin { get; }

    /// <summary>Every tensor by its key.</summary>
    IReadOnlyDictionary<string, TensorInfo> Entries { get; }

    /// <summary>Free texts stored beside the tensors; empty where the format has none.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Whether <see cref="Read"/> may be called from several threads at once.</summary>
    bool ReadsInParallel { get; }

    /// <summary>What the file itself calls a tensor, for messages.</summary>
    string NameInFile(string name) => name;

    /// <summary>Reads one tensor as stored, on the CPU. The caller owns it.</summary>
    /// <exception cref="KeyNotFoundException">The key is not in <see cref="Entries"/>.</exception>
    torch.Tensor Read(string name);
}
