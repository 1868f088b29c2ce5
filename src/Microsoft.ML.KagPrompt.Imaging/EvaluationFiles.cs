using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>The images and masks of an evaluation (<c>FewShotEvaluation</c>) from files.</summary>
/// <remarks>Thread-safe; holds nothing.</remarks>
/// <param name="options">Largest image, and which way up; null: the defaults. Give those of the fit.</param>
public sealed class EvaluationFiles(ImageOptions? options = null) : IEvaluationImages
{
    private readonly ImageOptions options = options ?? new();

    /// <inheritdoc/>
    public void Check(DatasetImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var info = ImageCodec.Check(image.Path, options.MaxPixels);
        if (image.MaskPath is { } mask)
        {
            var (width, height) = ImageCodec.SizeOf(info, options.Orientation);
            DefectMask.Read(mask).ScaledTo(width, height, $"'{mask}'");
        }
    }

    /// <inheritdoc/>
    public PixelBuffer Read(DatasetImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return ImageCodec.Read(image.Path, options.MaxPixels, options.Orientation);
    }

    /// <inheritdoc/>
    public bool[] ReadMask(DatasetImage image, int side, ResizeMode mode)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.MaskPath is { } path ? DefectMask.Read(path).At(side, mode) : [];
    }
}
