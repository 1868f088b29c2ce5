using Microsoft.ML.KagPrompt.Imaging;
using TorchSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>Brings images of any size to the normalised S × S square a backbone reads.</summary>
/// <remarks>Immutable and thread-safe.</remarks>
public sealed class ImagePreprocessor
{
    private readonly float[][] levels;
    private readonly byte[] mean;

    /// <summary>Sets side, mode and per-channel (R, G, B) mean and deviation of pixels in 0..1.</summary>
    /// <exception cref="ArgumentException">The side is not positive, or mean or std has not three values,
    /// or a deviation is not positive.</exception>
    public ImagePreprocessor(int imageSize, ResizeMode mode, IReadOnlyList<float> mean, IReadOnlyList<float> std)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(imageSize);
        if (mean?.Count != 3 || std?.Count != 3 || std.Any(value => !(value > 0)))
        {
            throw new ArgumentException("mean, std: expected three values each, deviations positive.", nameof(std));
        }

        (ImageSize, Mode) = (imageSize, mode);
        this.mean = [.. mean.Select(value => (byte)Math.Clamp(MathF.Round(value * 255), 0, 255))];
        levels = [.. Enumerable.Range(0, 3).Select(c => Enumerable.Range(0, 256).Select(v => ((v / 255f) - mean[c]) / std[c]).ToArray())];
    }

    /// <summary>S in pixels.</summary>
    public int ImageSize { get; }

    /// <summary>Stretch or crop.</summary>
    public ResizeMode Mode { get; }

    /// <summary>
    /// The image at S × S: bicubic with antialiasing, rounded to 8 bits, equal to Pillow's. The same object where it already fits.
    /// </summary>
    public PixelBuffer Resize(PixelBuffer image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Width == ImageSize && image.Height == ImageSize)
        {
            return image;
        }

        var square = Geometry(image.Width, image.Height);
        return BicubicResampler.Resize(image, square.Width, square.Height, square.Left, square.Top, ImageSize, ImageSize);
    }

    /// <summary>S × S images as one tensor [B, 3, S, S], float32, on the CPU. The caller owns it.</summary>
    /// <exception cref="ArgumentException">An image is not S × S.</exception>
    public torch.Tensor Normalize(IReadOnlyList<PixelBuffer> squares)
    {
        ArgumentNullException.ThrowIfNull(squares);
        var plane = ImageSize * ImageSize;
        var values = new float[checked(squares.Count * 3 * plane)];
        for (var i = 0; i < squares.Count; i++)
        {
            if (squares[i].Width != ImageSize || squares[i].Height != ImageSize)
            {
                throw new ArgumentException(
                    $"squares[{i}]: expected {ImageSize} x {ImageSize} pixels, got {squares[i].Width} x {squares[i].Height}. "
                        + "Resize it first.",
                    nameof(squares));
            }

            var rgb = squares[i].Rgb;
            for (var c = 0; c < 3; c++)
            {
                var level = levels[c];
                var target = values.AsSpan(((i * 3) + c) * plane, plane);
                for (var p = 0; p < plane; p++)
                {
                    target[p] = level[rgb[(3 * p) + c]];
                }
            }
        }

        return torch.tensor(values, [squares.Count, 3, ImageSize, ImageSize]);
    }

    /// <summary>A map of the square (S · S values) at the image's own size: bilinear, NaN where the image was not inspected.</summary>
    public float[] MapToImage(ReadOnlySpan<float> map, int width, int height) => Geometry(width, height).MapToImage(map, width, height);

    /// <summary>A ground-truth mask (width · height bytes) at S × S, nearest pixel as Pillow takes it.</summary>
    public byte[] ResizeMask(ReadOnlySpan<byte> mask, int width, int height)
    {
        if (mask.Length != width * height)
        {
            throw new ArgumentException($"mask: expected {width * height} bytes for {width} x {height}, got {mask.Length}.", nameof(mask));
        }

        return Geometry(width, height).MaskToSquare(mask, width, height);
    }

    /// <summary>
    /// A region where images are brought to S × S; outside, images are to show the mean that the networks' input is counted from.
    /// </summary>
    internal SquareRegion Place(InspectionRegion region)
        => new(ImageSize, Array.ConvertAll(ResizeMask(region.ToMask(), region.Width, region.Height), mark => mark != 0), mean);

    private ResizeGeometry Geometry(int width, int height) => ResizeGeometry.Create(width, height, ImageSize, Mode);
}
