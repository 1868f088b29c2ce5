using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>Tensors in the safetensors format: eight bytes of header length, a JSON header, raw little-endian data.</summary>
/// <remarks>
/// Only the header is read at once: a tensor costs memory, and its own bytes of the file, only once it is asked for.
/// Thread-safe where <see cref="ReadsInParallel"/> says so: opened from a file.
/// </remarks>
internal sealed class SafetensorsFile : ITensorSource
{
    private readonly SafetensorsHeader header;
    private readonly ReadBytes readBytes;
    private readonly Action close;

    private SafetensorsFile(string origin, long length, SafetensorsHeader header, ReadBytes readBytes, bool readsInParallel, Action close)
        => (Origin, Length, this.header, this.readBytes, ReadsInParallel, this.close)
            = (origin, length, header, readBytes, readsInParallel, close);

    /// <summary>Fills a buffer from a place in the file.</summary>
    internal delegate void ReadBytes(long offset, Span<byte> destination);

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Entries => header.Entries;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <summary>Bytes in all.</summary>
    internal long Length { get; }

    /// <summary>The tensors as they lie in the file, one after the other.</summary>
    internal IEnumerable<string> InOrder => header.Offsets.OrderBy(entry => entry.Value).Select(entry => entry.Key);

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="CheckpointFormatException">It is not a safetensors file, is truncated,
    /// or its header contradicts itself.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        // Asked before opening, which a pipe would not return from: it tells a length of 0, as devices do.
        if (SmallFile.LengthOf(path) is < 8 and var found)
        {
            throw SafetensorsHeader.TooShort(path, found);
        }

        // Read by position, not mapped: should another process cut the file meanwhile, that is an error here, where touching a mapped page
        // would end the process; and mapped pages would count as this process's memory beside the tensors they are copied to.
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
        try
        {
            var length = RandomAccess.GetLength(handle);
            if (length < 8)
            {
                throw SafetensorsHeader.TooShort(path, length);
            }

            void Read(long offset, Span<byte> destination)
            {
                while (!destination.IsEmpty)
                {
                    var read = RandomAccess.Read(handle, destination, offset);
                    if (read == 0)
                    {
                        throw new CheckpointFormatException($"{path} became shorter while it was read: "
                            + $"expected {length} bytes, got {RandomAccess.GetLength(handle)}. Fetch the file again.");
                    }

                    offset += read;
                    destination = destination[read..];
                }
            }

            var header = SafetensorsHeader.Parse(path, length, Read);
            return new SafetensorsFile(path, length, header, Read, readsInParallel: true, handle.Dispose);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Opens what a stream holds from its position to its end, and checks its header.</summary>
    /// <param name="source">A readable stream. One that can seek is read where it is, and must stay open as long as this;
    /// another is read into memory at once. It stays the caller's.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <exception cref="CheckpointFormatException">It is not in the format, is truncated, or its header contradicts itself.</exception>
    public static SafetensorsFile Read(Stream source, string origin)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (!source.CanSeek)
        {
            var copy = new MemoryStream();
            source.CopyTo(copy, 1 << 20);
            copy.Position = 0;
            source = copy;
        }

        var start = source.Position;
        var length = source.Length - start;
        if (length < 8)
        {
            throw SafetensorsHeader.TooShort(origin, length);
        }

        void Read(long offset, Span<byte> destination)
        {
            source.Position = start + offset;
            if (source.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false) < destination.Length)
            {
                throw new CheckpointFormatException($"{origin} ends early: expected {length} bytes. Fetch or save it again.");
            }
        }

        return new SafetensorsFile(origin, length, SafetensorsHeader.Parse(origin, length, Read), Read, readsInParallel: false, () => { });
    }

    /// <inheritdoc/>
    public bool ReadsInParallel { get; }

    /// <inheritdoc/>
    public torch.Tensor Read(string name)
    {
        if (!Entries.TryGetValue(name, out var info))
        {
            throw new KeyNotFoundException($"{Origin} holds no tensor '{name}'.");
        }

        var tensor = torch.empty([.. info.Shape], info.Type);
        try
        {
            readBytes(header.Offsets[name].Begin, tensor.bytes);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>Where a tensor's bytes begin.</summary>
    internal long BeginOf(string name) => header.Offsets[name].Begin;

    /// <summary>Hands out the bytes from one place to another, a piece at a time.</summary>
    internal void ReadPieces(long begin, long end, Action<ReadOnlySpan<byte>> take)
    {
        var buffer = new byte[Math.Min(1 << 20, end - begin)];
        while (begin < end)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - begin));
            readBytes(begin, piece);
            take(piece);
            begin += piece.Length;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => close();
}
