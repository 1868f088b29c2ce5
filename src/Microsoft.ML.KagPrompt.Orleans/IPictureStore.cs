using Microsoft.ML.KagPrompt.Results;

namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>
/// Pictures that clients put down and silos pick up. <see cref="FolderPictureStore"/> keeps them in a shared folder; an object store may
/// take its place.
/// </summary>
/// <remarks>Thread-safe, and safe between processes.</remarks>
public interface IPictureStore
{
    /// <summary>Keeps a picture. When the task ends, every silo can read it.</summary>
    /// <param name="picture">The file's bytes.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The same for the same bytes.</returns>
    /// <exception cref="IOException">The place refused.</exception>
    Task<PictureReference> AddAsync(ReadOnlyMemory<byte> picture, CancellationToken cancellationToken = default);

    /// <summary>The bytes; null: they are not there, or not any more.</summary>
    /// <param name="picture">Which.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ArgumentException">This is no reference.</exception>
    /// <exception cref="ResultStoreException">The bytes are not those that were put down.</exception>
    /// <exception cref="IOException">The place cannot be read.</exception>
    Task<byte[]?> ReadAsync(PictureReference picture, CancellationToken cancellationToken = default);
}
