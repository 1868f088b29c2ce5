using Microsoft.ML.KagPrompt.Results.Files;
using Microsoft.ML.KagPrompt.Results.Pictures;

namespace Microsoft.ML.KagPrompt.Results;

/// <summary>Pictures and maps that were recorded, by their content's hash.</summary>
/// <remarks>Thread-safe.</remarks>
public sealed class ResultPictures
{
    internal ResultPictures(KagPromptResultsOptions options, TimeProvider time)
        => (Pictures, Maps) = (new ContentFiles(options.PictureFolder, time), new ContentFiles(options.MapFolder, time));

    internal ContentFiles Pictures { get; }

    internal ContentFiles Maps { get; }

    /// <summary>A picture's bytes as they were recorded; null: deleted since (<see cref="KagPromptResultsOptions.PictureDays"/>), or never there.</summary>
    /// <param name="hash"><see cref="StoredResult.PictureHash"/>.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ResultStoreException">The file was damaged since.</exception>
    /// <exception cref="ArgumentException">This is no hash.</exception>
    public Task<byte[]?> ReadPictureAsync(string hash, CancellationToken cancellationToken = default) => Pictures.ReadAsync(hash, cancellationToken);

    /// <summary>A map; null: deleted since, or never there.</summary>
    /// <param name="hash"><see cref="StoredResult.MapHash"/>.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ResultStoreException">The file was damaged since.</exception>
    /// <exception cref="ArgumentException">This is no hash.</exception>
    public async Task<ResultMap?> ReadMapAsync(string hash, CancellationToken cancellationToken = default)
        => await ReadMapFileAsync(hash, cancellationToken).ConfigureAwait(false) is { } packed ? MapFile.Decode(packed) : null;

    /// <summary>A map's file: NumPy's .npy of half precision (Height, Width), in gzip; null: deleted since, or never there.</summary>
    /// <param name="hash"><see cref="StoredResult.MapHash"/>.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ResultStoreException">The file was damaged since.</exception>
    /// <exception cref="ArgumentException">This is no hash.</exception>
    public Task<byte[]?> ReadMapFileAsync(string hash, CancellationToken cancellationToken = default) => Maps.ReadAsync(hash, cancellationToken);
}
