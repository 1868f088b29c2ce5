using System.Text;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Tensors of a PyTorch checkpoint (.pth, .pt, .bin: the zip format), read without Python and without running anything the file says.
/// </summary>
/// <remarks>Nested dictionaries become dotted names. A tensor's storage is read only when the tensor is. Reading is thread-safe.</remarks>
internal sealed class PyTorchCheckpoint : ITensorSource
{
    private const long LargestPickle = 256L << 20;
    private const int LongestName = 1024;
    private const int MostTensors = 100_000;

    // Tied weights share a storage: a name or two more, not all of them.
    private const int MostSharing = 4;

    private readonly StoredZip archive;
    private readonly string folder;
    private readonly Dictionary<string, PickledTensor> tensors = [];

    private PyTorchCheckpoint(string path, StoredZip archive)
    {
        (Origin, this.archive) = (path, archive);
        var pickle = archive.Names.FirstOrDefault(name => name.EndsWith("/data.pkl", StringComparison.Ordinal))
            ?? throw Damaged("an entry data.pkl", "none");
        folder = pickle[..^"data.pkl".Length];
        if (archive.LengthOf(folder + "byteorder") is not null
            && Encoding.ASCII.GetString(ReadAll(folder + "byteorder", 16)).Trim() != "little")
        {
            throw Damaged("little-endian data", "another byte order");
        }

        Flatten(new RestrictedUnpickler(path, ReadAll(pickle, LargestPickle)).Load(), "");
        Entries = tensors.ToDictionary(entry => entry.Key, entry => new TensorInfo(entry.Key, entry.Value.Storage.Type, entry.Value.Shape));
        foreach (var (name, tensor) in tensors)
        {
            Check(name, tensor);
        }

        var bytes = Entries.Values.Sum(entry => (double)entry.ByteCount);
        if (bytes > MostSharing * (double)Math.Max(archive.Length, 1 << 20))
        {
            throw Damaged($"tensors of at most {MostSharing} times the file's {archive.Length} bytes", $"{bytes:0} bytes");
        }
    }

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Entries { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <summary>Opens a file and reads its structure.</summary>
    /// <exception cref="CheckpointFormatException">It is no such file, is damaged, or asks to run code.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static PyTorchCheckpoint Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var archive = OpenArchive(path);
        try
        {
            return new PyTorchCheckpoint(path, archive);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool ReadsInParallel => true;

    /// <inheritdoc/>
    public torch.Tensor Read(string name)
    {
        if (!tensors.TryGetValue(name, out var pickled))
        {
            throw new KeyNotFoundException($"{Origin} holds no tensor '{name}'.");
        }

        using var scope = torch.NewDisposeScope();
        var flat = torch.empty([(long)pickled.Reach], pickled.Storage.Type);
        archive.Read(EntryOf(pickled), pickled.Offset * pickled.Storage.ItemSize, flat.bytes);
        return flat.as_strided(pickled.Shape, pickled.Strides, 0).contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => archive.Dispose();

    private static StoredZip OpenArchive(string path)
    {
        Span<byte> magic = stackalloc byte[2];
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            if (file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) < 2 || magic[0] != 'P' || magic[1] != 'K')
            {
                throw new CheckpointFormatException($"{path} is not a PyTorch checkpoint in the zip format. "
                    + "If it is an older one, save it again with a current PyTorch: "
                    + "torch.save(torch.load(path, weights_only=True), path).");
            }
        }

        return StoredZip.Open(path);
    }

    private string EntryOf(PickledTensor tensor) => folder + "data/" + tensor.Storage.Key;

    private void Flatten(object? value, string name)
    {
        if (name.Length > LongestName)
        {
            throw Damaged($"names of at most {LongestName} characters", $"'{name[..64]}…'");
        }

        if (value is PickledTensor tensor)
        {
            if (tensors.Count == MostTensors)
            {
                throw Damaged($"at most {MostTensors} tensors", "more");
            }

            if (!tensors.TryAdd(name, tensor))
            {
                throw Damaged("each tensor once", $"'{name}' twice");
            }
        }
        else if (value is PickledDictionary dictionary)
        {
            foreach (var (key, item) in dictionary.Items)
            {
                Flatten(item, name.Length == 0 ? $"{key}" : $"{name}.{key}");
            }
        }
    }

    /// <summary>A tensor must lie within its storage, and its storage within the file.</summary>
    private void Check(string name, PickledTensor tensor)
    {
        var length = archive.LengthOf(EntryOf(tensor)) ?? throw Damaged($"the storage of '{name}'", "none");
        var items = length / tensor.Storage.ItemSize;
        if (tensor.Storage.Count > items
            || tensor.Offset > items
            || tensor.Reach > items - tensor.Offset
            || tensor.Reach > int.MaxValue / tensor.Storage.ItemSize)
        {
            throw Damaged(
                $"'{name}' within its storage of {items} values",
                $"offset {tensor.Offset}, sizes [{string.Join(", ", tensor.Shape)}], strides [{string.Join(", ", tensor.Strides)}]");
        }

        // Zero strides repeat values for free; a view must not unpack to more than its file.
        if (tensor.Shape.Aggregate(1.0, (product, size) => product * size) * tensor.Storage.ItemSize > Math.Max(archive.Length, 1 << 20))
        {
            throw Damaged($"'{name}' no larger than the file", $"sizes [{string.Join(", ", tensor.Shape)}]");
        }
    }

    private byte[] ReadAll(string name, long largest)
    {
        var length = archive.LengthOf(name)!.Value;
        if (length > largest)
        {
            throw Damaged($"{name} of at most {largest} bytes", $"{length}");
        }

        var bytes = new byte[length];
        archive.Read(name, 0, bytes);
        return bytes;
    }

    private CheckpointFormatException Damaged(string expected, string got)
        => new($"{Origin} is not a PyTorch checkpoint or is damaged: expected {expected}, got {got}. Fetch the file again.");
}
