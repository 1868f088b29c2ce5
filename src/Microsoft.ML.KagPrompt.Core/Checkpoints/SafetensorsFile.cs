using System.IO.MemoryMappedFiles;
using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>Tensors in the safetensors format: eight bytes of header length, a JSON header, raw little-endian data.</summary>
/// <remarks>A file is mapped, not read: a tensor costs memory only once it is asked for. Not thread-safe.</remarks>
public sealed class SafetensorsFile : ITensorSource
{
    private readonly SafetensorsHeader header;
    private readonly Func<long, int, byte[]> readBytes;
    private readonly Action close;

    private SafetensorsFile(string origin, SafetensorsHeader header, Func<long, int, byte[]> readBytes, Action close)
        => (Origin, this.header, this.readBytes, this.close) = (origin, header, readBytes, close);

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Entries => header.Entries;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="CheckpointFormatException">It is not a safetensors file, is truncated, or its header contradicts itself.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var length = new FileInfo(path).Length;
        if (length < 8)
        {
            throw SafetensorsHeader.TooShort(path, length);
        }

        var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        MemoryMappedViewAccessor? view = null;
        try
        {
            view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            byte[] ReadBytes(long offset, int count)
            {
                var bytes = new byte[count];
                view.ReadArray(offset, bytes, 0, count);
                return bytes;
            }

            var header = SafetensorsHeader.Parse(path, length, ReadBytes);
            return new SafetensorsFile(path, header, ReadBytes, () =>
            {
                view.Dispose();
                map.Dispose();
            });
        }
        catch
        {
            view?.Dispose();
            map.Dispose();
            throw;
        }
    }

    /// <summary>Reads a stream to its end into memory and checks its header. The stream stays open.</summary>
    /// <param name="source">A readable stream.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <exception cref="CheckpointFormatException">It is not in the format, is truncated, or its header contradicts itself.</exception>
    public static SafetensorsFile Read(Stream source, string origin)
    {
        ArgumentNullException.ThrowIfNull(source);
        using var copy = new MemoryStream();
        source.CopyTo(copy, 1 << 20);
        var bytes = copy.GetBuffer();
        var length = copy.Length;
        if (length < 8)
        {
            throw SafetensorsHeader.TooShort(origin, length);
        }

        byte[] ReadBytes(long offset, int count) => bytes.AsSpan((int)offset, count).ToArray();
        return new SafetensorsFile(origin, SafetensorsHeader.Parse(origin, length, ReadBytes), ReadBytes, () => { });
    }

    /// <inheritdoc/>
    public torch.Tensor Read(string name)
    {
        if (!Entries.TryGetValue(name, out var info))
        {
            throw new KeyNotFoundException($"{Origin} holds no tensor '{name}'.");
        }

        var (begin, end) = header.Offsets[name];
        var tensor = torch.empty([.. info.Shape], info.Type);
        try
        {
            // Pieces keep one tensor's managed copy small, whatever its size.
            var destination = tensor.bytes;
            const int Piece = 1 << 24;
            for (var offset = begin; offset < end; offset += Piece)
            {
                var count = (int)Math.Min(Piece, end - offset);
                readBytes(offset, count).CopyTo(destination[(int)(offset - begin)..]);
            }

            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => close();
}
