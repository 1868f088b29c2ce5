using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>Ground truth: which pixels of an image are defective.</summary>
public sealed class DefectMask
{
    // Lossless masks mark defects with any value (VisA with 1, 2, …); around JPEG's edges there is noise.
    private const byte LossyLevel = 127;

    private readonly byte[] marks;

    private DefectMask(int width, int height, byte[] marks) => (Width, Height, this.marks) = (width, height, marks);

    /// <summary>Columns in pixels.</summary>
    public int Width { get; }

    /// <summary>Rows in pixels.</summary>
    public int Height { get; }

    /// <summary>True where defective, row by row.</summary>
    public bool[] Pixels => Array.ConvertAll(marks, mark => mark != 0);

    /// <summary>Whether any pixel is defective.</summary>
    public bool ShowsDefect => marks.AsSpan().IndexOfAnyExcept((byte)0) >= 0;

    /// <summary>Reads a mask: what is not black is defective.</summary>
    /// <param name="path">An image, or a folder of images of one size to be united.</param>
    /// <exception cref="ImageReadException">It cannot be read, or the images of the folder differ in size.</exception>
    public static DefectMask Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
        {
            return ReadFile(path);
        }

        var parts = Directory.GetFiles(path).Order(StringComparer.Ordinal).Select(ReadFile).ToArray();
        if (parts.Length == 0 || parts.Any(part => (part.Width, part.Height) != (parts[0].Width, parts[0].Height)))
        {
            throw new ImageReadException($"'{path}': expected masks of one size, got {(parts.Length == 0 ? "none" : string.Join(", ", parts.Select(part => $"{part.Width} x {part.Height}").Distinct()))}.");
        }

        for (var p = 0; p < parts[0].marks.Length; p++)
        {
            parts[0].marks[p] = parts.Max(part => part.marks[p]);
        }

        return parts[0];
    }

    /// <summary>The mask where images are brought to S × S: nearest pixel.</summary>
    /// <param name="size">S.</param>
    /// <param name="mode">How the images are brought there.</param>
    public bool[] At(int size, ResizeMode mode = ResizeMode.Stretch)
        => Array.ConvertAll(new ImagePreprocessor(size, mode, [0, 0, 0], [1, 1, 1]).ResizeMask(marks, Width, Height), mark => mark != 0);

    private static DefectMask ReadFile(string path)
    {
        MLImage image;
        try
        {
            image = MLImage.CreateFromFile(path);
        }
        catch (Exception fault) when (fault is ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new ImageReadException($"The mask '{path}' cannot be read. {fault.Message} Expected a PNG, BMP or JPEG file. Check that it exists and is whole.", fault);
        }

        using (image)
        {
            var least = Path.GetExtension(path).ToLowerInvariant() is ".jpg" or ".jpeg" ? LossyLevel : (byte)0;
            var pixels = image.Pixels;
            var marks = new byte[image.Width * image.Height];
            for (var p = 0; p < marks.Length; p++)
            {
                marks[p] = (byte)(Math.Max(pixels[4 * p], Math.Max(pixels[(4 * p) + 1], pixels[(4 * p) + 2])) > least ? 1 : 0);
            }

            return new(image.Width, image.Height, marks);
        }
    }
}
