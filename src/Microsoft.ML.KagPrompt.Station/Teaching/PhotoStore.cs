using Microsoft.ML.KagPrompt.Results.Files;

namespace Microsoft.ML.KagPrompt.Station.Teaching;

/// <summary>Photographs by their content. What they were called is nowhere a path.</summary>
internal sealed class PhotoStore(StationOptions options, TimeProvider time)
{
    /// <summary>Largest file.</summary>
    public const int MostBytes = 20_000_000;

    /// <summary>Largest picture.</summary>
    public const int MostPixels = 50_000_000;

    private readonly ContentFiles files = new(options.PathTo("photographs"), time);

    /// <summary>Reads a picture and keeps its file.</summary>
    /// <exception cref="ImageReadException">It is none, or too large.</exception>
    public TeachingPhoto Add(byte[] file, string name)
    {
        if (file.Length > MostBytes)
        {
            throw new ImageReadException($"'{name}': expected at most {MostBytes} bytes, got {file.Length}.");
        }

        // Read to its end: what cannot be decoded is told now, not in the middle of a fit.
        var picture = ImageCodec.Read(file, name, MostPixels);
        return new(files.Write(file), name, picture.Width, picture.Height);
    }

    /// <summary>A photograph's file.</summary>
    /// <exception cref="InvalidOperationException">It is gone.</exception>
    public async Task<byte[]> ReadAsync(TeachingPhoto photo, CancellationToken stop) => await files.ReadAsync(photo.Hash, stop)
        ?? throw new InvalidOperationException($"The photograph '{photo.Name}' is not in the data folder any more. "
            + "Restore it from a backup, or leave it out.");

    /// <summary>A file by its hash; null: there is none, or that is no hash.</summary>
    public Task<byte[]?> FindAsync(string hash, CancellationToken stop)
        => ContentHash.Is(hash) ? files.ReadAsync(hash, stop) : Task.FromResult<byte[]?>(null);

    public async Task<PixelBuffer> DecodeAsync(TeachingPhoto photo, CancellationToken stop)
        => ImageCodec.Read(await ReadAsync(photo, stop), photo.Name, MostPixels);
}
