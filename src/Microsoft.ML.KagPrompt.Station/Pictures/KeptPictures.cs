using Microsoft.ML.KagPrompt.Results;

namespace Microsoft.ML.KagPrompt.Station.Pictures;

/// <summary>Pictures of results, which are deleted in time, also between a look at a page and a click.</summary>
internal static class KeptPictures
{
    /// <summary>A result's picture; null: recorded without one, deleted since, or damaged.</summary>
    public static async Task<byte[]?> FindAsync(this ResultPictures pictures, StoredResult result, CancellationToken stop = default)
    {
        try
        {
            return result.PictureHash is null ? null : await pictures.ReadPictureAsync(result.PictureHash, stop);
        }
        catch (ResultStoreException)
        {
            return null;
        }
    }
}
