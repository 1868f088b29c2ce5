using Microsoft.ML.KagPrompt.Results.Files;

namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>Pictures in a folder that all machines share, each content once, named by its SHA-256.</summary>
/// <remarks>Thread-safe, and safe between processes: a picture appears whole or not at all.</remarks>
public sealed class FolderPictureStore : IPictureStore
{
    private readonly ContentFiles files;

    /// <summary>Takes a folder.</summary>
    /// <param name="folder">The folder; it is made when the first picture comes.</param>
    /// <param name="time">The clock; null: the system's.</param>
    public FolderPictureStore(string folder, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        files = new ContentFiles(folder, time ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    public Task<PictureReference> AddAsync(ReadOnlyMemory<byte> picture, CancellationToken cancellationToken = default)
        // Flushing holds a thread; not the caller's.
        => Task.Run(() => new PictureReference(files.Write(picture)), cancellationToken);

    /// <inheritdoc/>
    public Task<byte[]?> ReadAsync(PictureReference picture, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(picture);
        return files.ReadAsync(picture.Sha256, cancellationToken);
    }

    /// <summary>Deletes pictures that were put down before a time, and not again since.</summary>
    /// <param name="before">The time. Pictures that may still be asked for must be younger.</param>
    /// <returns>How many went.</returns>
    /// <exception cref="IOException">The folder refused.</exception>
    public int DeleteBefore(DateTimeOffset before)
    {
        files.DeleteUnfinished(before.UtcDateTime);
        return files.List().Where(file => file.Recorded < before.UtcDateTime).Count(files.Delete);
    }
}
