using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>An image of a report, and the layer that the reader draws over it.</summary>
/// <param name="Width">Columns of both, in pixels.</param>
/// <param name="Height">Rows of both.</param>
/// <param name="Image">A JPEG or PNG file's bytes.</param>
/// <param name="Overlay">A translucent PNG's bytes: <see cref="HeatmapRenderer.OverlayPng"/>.</param>
public sealed record ReportPicture(int Width, int Height, byte[] Image, byte[] Overlay)
{
    /// <summary>Longer side of a report's pictures, in pixels; smaller images keep their size.</summary>
    public const int LongestSide = 384;

    /// <summary>Scales an image and draws its map at that size, so that lines are crisp.</summary>
    /// <param name="image">The image, as it was scored.</param>
    /// <param name="mapAt">The map at a width and height.</param>
    /// <param name="scale">Of its class.</param>
    /// <param name="truth">Where the defect truly is, a value for each of the image's pixels; empty: not known.</param>
    /// <param name="encode">A picture as a JPEG or PNG file's bytes.</param>
    /// <exception cref="ArgumentException">The truth or a map does not fit.</exception>
    public static ReportPicture Create(
        PixelBuffer image, Func<int, int, float[]> mapAt, MapScale scale, bool[] truth, Func<PixelBuffer, byte[]> encode)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(mapAt);
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(scale);
        ArgumentNullException.ThrowIfNull(encode);
        if (truth.Length != 0 && truth.Length != image.Width * image.Height)
        {
            throw new ArgumentException(
                $"truth: expected {image.Width} x {image.Height} values or none, got {truth.Length}.", nameof(truth));
        }

        var shrink = Math.Min(1.0, (double)LongestSide / Math.Max(image.Width, image.Height));
        var (width, height) = (Math.Max(1, (int)Math.Round(shrink * image.Width)), Math.Max(1, (int)Math.Round(shrink * image.Height)));
        var small = (width, height) == (image.Width, image.Height)
            ? image
            : BicubicResampler.Resize(image, width, height, 0, 0, width, height);
        return new(
            width,
            height,
            encode(small),
            HeatmapRenderer.OverlayPng(
                mapAt(width, height), width, height, scale, Nearest(truth, image.Width, image.Height, width, height)));
    }

    private static bool[] Nearest(bool[] truth, int width, int height, int toWidth, int toHeight)
    {
        if (truth.Length == 0)
        {
            return [];
        }

        var result = new bool[toWidth * toHeight];
        for (var p = 0; p < result.Length; p++)
        {
            var (x, y) = ((int)((p % toWidth + 0.5) * width / toWidth), (int)((p / toWidth + 0.5) * height / toHeight));
            result[p] = truth[(y * width) + x];
        }

        return result;
    }
}
