using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt;

/// <content>Single images, without a view of rows.</content>
public sealed partial class KagPromptTransformer
{
    /// <summary>Inspects one image file. Thread-safe.</summary>
    /// <param name="imagePath">A PNG, JPEG, BMP, WebP or GIF file of at most <see cref="ImageOptions.MaxPixels"/>.</param>
    /// <param name="className">Its class; null stands for the only one.</param>
    /// <exception cref="ImageReadException">It cannot be read; the message names it.</exception>
    /// <exception cref="ArgumentException">The class is not known, or none is named and the model knows several.</exception>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    public Inspection Inspect(string imagePath, string? className = null)
    {
        var images = Options.Images;
        var picture = ImageCodec.ReadReduced(
            imagePath, images.LeastSide(Model.MapSize), out var info, images.MaxPixels, images.Orientation);
        var verdict = Model.Inspect(picture, className ?? OnlyClass());
        if (Options.Columns.MapResolution != MapResolution.Image)
        {
            return verdict;
        }

        var (width, height) = ImageCodec.SizeOf(info, images.Orientation);
        return verdict with { Map = Model.MapToImage(verdict.Map, width, height), Width = width, Height = height };
    }

    /// <summary>Inspects one image in memory. Thread-safe.</summary>
    /// <param name="image">An image of any size.</param>
    /// <param name="className">Its class; null stands for the only one.</param>
    /// <exception cref="ArgumentException">The class is not known, or none is named and the model knows several.</exception>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    public Inspection Inspect(PixelBuffer image, string? className = null)
        => Model.Inspect(image, className ?? OnlyClass(), Options.Columns.MapResolution == MapResolution.Image);

    /// <summary>The class that none named stands for.</summary>
    private string OnlyClass() => Model.ClassNames.Count == 1 ? Model.ClassNames.First()
        : throw new ArgumentException($"className: expected the name of a class, as this model knows several: "
            + $"{string.Join(", ", Model.ClassNames.Order(StringComparer.Ordinal).Take(20).Select(name => $"'{name}'"))}.", "className");
}
