using Microsoft.ML.Data;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Whose a column's images are. LoadImages and what follows it make a fresh image at each asking, which nobody but the asker can dispose;
/// LoadFromEnumerable and a mapping of the user's hand out an object they keep, and asked again they hand out the same.
/// </summary>
/// <remarks>Serves one row after another; not thread-safe.</remarks>
internal sealed class ImageSource(ValueGetter<MLImage> getter)
{
    // Decoding a file twice a row would be dear: what was found of the first is taken of the others. Asking twice for what is in memory
    // costs next to nothing.
    private bool decodesFiles;

    /// <summary>The current row's image, if any, and whether it is the asker's to dispose.</summary>
    public (MLImage? Image, bool IsOurs) Take()
    {
        MLImage? image = null;
        getter(ref image!);
        if (image is null || (decodesFiles && FileOf(image) is not null))
        {
            return (image, image is not null);
        }

        MLImage? again = null;
        try
        {
            getter(ref again!);
        }
        catch
        {
            image.Dispose();
            throw;
        }

        if (ReferenceEquals(image, again))
        {
            return (image, false);
        }

        // The later one: a transform between may have disposed what it handed out first.
        image.Dispose();
        decodesFiles = FileOf(again) is not null;
        return (again, again is not null);
    }

    /// <summary>The file LoadImages tagged an image with, a tag that ML.NET's transforms pass on; null: none.</summary>
    public static string? FileOf(MLImage? image)
    {
        try
        {
            return string.IsNullOrEmpty(image?.Tag) ? null : image.Tag;
        }
        catch (InvalidOperationException)
        {
            // Disposed: what is wrong is said where its pixels are asked for.
            return null;
        }
    }
}
