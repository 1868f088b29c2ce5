using System.IO.Compression;
using System.Text;
using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>Tensors of a PyTorch checkpoint (.pth, .pt, .bin: the zip format), read without Python and without running anything the file says.</summary>
/// <remarks>Nested dictionaries become dotted names. A tensor's storage is read only when the tensor is. Not thread-safe.</remarks>
public sealed class PyTorchCheckpoint : ITensorSource
{
    private const int MostEntries = 1_000_000;
    private const long LargestPickle = 256L << 20;

    private readonly ZipArchive archive;
    private readonly string folder;
    private readonly Dictionary<string, PickledTensor> tensors = [];

    private PyTorchCheckpoint(string path, ZipArchive archive, long fileLength)
    {
        (Origin, this.archive) = (path, archive);
        var pickle = archive.Entries.Count is > 0 and <= MostEntries
            ? archive.Entries.FirstOrDefault(entry => entry.FullName.EndsWith("/data.pkl", StringComparison.Ordinal)) ?? throw Damaged("an entry data.pkl", "none")
            : throw Damaged($"1 to {MostEntries} entries", $"{archive.Entries.Count}");
        folder = pickle.FullName[..^"data.pkl".Length];
        if (archive.GetEntry(folder + "byteorder") is { } order && Encoding.ASCII.GetString(ReadAll(order, 16, fileLength)).Trim() != "little")
        {
            throw Damaged("little-endian data", "another byte order");
        }

        var root = new RestrictedUnpickler(path, ReadAll(pickle, LargestPickle, fileLength)).Load();
        Flatten(root, "");
        Entries = tensors.ToDictionary(entry => entry.Key, entry => new TensorInfo(entry.Key, entry.Value.Storage.Type, entry.Value.Shape));
        foreach (var (name, tensor) in tensors)
        {
            Check(name, tensor, fileLength);
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
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        try
        {
            Span<byte> magic = stackalloc byte[2];
            if (file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) < 2 || magic[0] != 'P' || magic[1] != 'K')
            {
                throw new CheckpointFormatException($"{path} is not a PyTorch checkpoint in the zip format. If it is an older one, save it again with a current PyTorch: torch.save(torch.load(path, weights_only=True), path).");
            }

            file.Position = 0;
            return new PyTorchCheckpoint(path, new ZipArchive(file, ZipArchiveMode.Read), file.Length);
        }
        catch (InvalidDataException fault)
        {
            file.Dispose();
            throw new CheckpointFormatException($"{path} is damaged: {fault.Message} Fetch the file again.", fault);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public torch.Tensor Read(string name)
    {
        if (!tensors.TryGetValue(name, out var pickled))
        {
            throw new KeyNotFoundException($"{Origin} holds no tensor '{name}'.");
        }

        using var scope = torch.NewDisposeScope();
        var itemSize = pickled.Storage.ItemSize;
        var span = (long)pickled.Reach;
        var flat = torch.empty([span], pickled.Storage.Type);
        try
        {
            using var stream = archive.GetEntry(folder + "data/" + pickled.Storage.Key)!.Open();
            Skip(stream, pickled.Offset * itemSize);
            stream.ReadExactly(flat.bytes);
        }
        catch (Exception fault) when (fault is EndOfStreamException or InvalidDataException)
        {
            throw new CheckpointFormatException($"{Origin} is damaged: the data of '{name}' ends early. Fetch the file again.", fault);
        }

        return flat.as_strided(pickled.Shape, pickled.Strides, 0).clone().contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => archive.Dispose();

    private static void Skip(Stream stream, long count)
    {
        var buffer = new byte[(int)Math.Min(count, 1 << 16)];
        while (count > 0)
        {
            var read = (int)Math.Min(buffer.Length, count);
            stream.ReadExactly(buffer, 0, read);
            count -= read;
        }
    }

    private void Flatten(object? value, string name)
    {
        if (value is PickledTensor tensor)
        {
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
    private void Check(string name, PickledTensor tensor, long fileLength)
    {
        var entry = archive.GetEntry(folder + "data/" + tensor.Storage.Key) ?? throw Damaged($"the storage of '{name}'", "none");
        if (entry.CompressedLength != entry.Length || entry.Length > fileLength)
        {
            throw Damaged($"'{name}' stored plainly within the file's {fileLength} bytes", $"{entry.CompressedLength} bytes that unpack to {entry.Length}");
        }

        var items = entry.Length / tensor.Storage.ItemSize;
        if (tensor.Storage.Count > items || tensor.Offset > items || tensor.Reach > items - tensor.Offset || tensor.Reach > int.MaxValue / tensor.Storage.ItemSize)
        {
            throw Damaged($"'{name}' within its storage of {items} values", $"offset {tensor.Offset}, sizes [{string.Join(", ", tensor.Shape)}], strides [{string.Join(", ", tensor.Strides)}]");
        }

        // Zero strides repeat values for free; a view must not unpack to more than its file.
        if (tensor.Shape.Aggregate(1.0, (product, size) => product * size) * tensor.Storage.ItemSize > Math.Max(fileLength, 1 << 20))
        {
            throw Damaged($"'{name}' no larger than the file", $"sizes [{string.Join(", ", tensor.Shape)}]");
        }
    }

    private byte[] ReadAll(ZipArchiveEntry entry, long largest, long fileLength)
    {
        if (entry.Length > largest || entry.CompressedLength > fileLength)
        {
            throw Damaged($"{entry.FullName} of at most {largest} bytes", $"{entry.Length}");
        }

        var bytes = new byte[entry.Length];
        using var stream = entry.Open();
        try
        {
            stream.ReadExactly(bytes);
        }
        catch (EndOfStreamException fault)
        {
            throw new CheckpointFormatException($"{Origin} is damaged: {entry.FullName} ends early. Fetch the file again.", fault);
        }

        return bytes;
    }

    private CheckpointFormatException Damaged(string expected, string got)
        => new($"{Origin} is not a PyTorch checkpoint or is damaged: expected {expected}, got {got}. Fetch the file again.");
}
