namespace Microsoft.ML.KagPrompt.Station.Pictures;

/// <summary>
/// Reads pictures for pages and figures, few at a time: a large one takes hundreds of megabytes until it is small. Teaching photographs
/// and those
/// of the line come this one way, so that their brightness and sharpness compare.
/// </summary>
internal sealed class PictureDecoder
{
    public const int Side = 640;

    private readonly SemaphoreSlim places = new(2, 2);

    /// <summary>A picture of at most <see cref="Side"/> pixels a side.</summary>
    /// <exception cref="ImageReadException">It cannot be read, or is too large.</exception>
    public async Task<PixelBuffer> ReadAsync(byte[] file, CancellationToken stop)
    {
        await places.WaitAsync(stop);
        try
        {
            return await Task.Run(() => SmallPicture.Scale(
                ImageCodec.ReadReduced(file, "The picture", Side, out _, ImageCodec.DefaultMaxPixels, ImageOrientation.Exif), Side), stop);
        }
        finally
        {
            places.Release();
        }
    }
}
