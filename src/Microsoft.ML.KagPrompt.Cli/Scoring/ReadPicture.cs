namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>What was read of an image to be scored.</summary>
/// <param name="Pixels">The picture, perhaps at a part of its size.</param>
/// <param name="Width">Columns of the whole.</param>
/// <param name="Height">Rows.</param>
internal sealed record ReadPicture(PixelBuffer Pixels, int Width, int Height)
{
    /// <summary>Of a file, upright as the options say.</summary>
    public static ReadPicture FromPixels(PixelBuffer pixels, ImageFileInfo info, ImageOptions images)
    {
        var (width, height) = ImageCodec.SizeOf(info, images.Orientation);
        return new(pixels, width, height);
    }
}
