using Microsoft.ML.KagPrompt.Datasets;
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

    /// <summary>
    /// Reads a mask: what is not black is defective; in files that lose something, as JPEG does, what is brighter than half.
    /// Told by content, whatever a file is called.
    /// </summary>
    /// <param name="path">An image, or a folder of images of one size to be united.</param>
    /// <exception cref="ImageReadException">It cannot be read, ends early, or the images of the folder differ in size.</exception>
    public static DefectMask Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
        {
            return ReadFile(path);
        }

        DefectMask[] parts;
        try
        {
            parts = [.. PhotographFiles.Below(path, depth: 0).Select(ReadFile)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ImageReadException($"The masks '{path}' cannot be read. {fault.Message}", fault);
        }

        if (parts.Length == 0 || parts.Any(part => (part.Width, part.Height) != (parts[0].Width, parts[0].Height)))
        {
            var sizes = string.Join(", ", parts.Select(part => $"{part.Width} x {part.Height}").Distinct());
            throw new ImageReadException($"'{path}': expected masks of one size, got {(parts.Length == 0 ? "none" : sizes)}.");
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
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return Array.ConvertAll(ResizeGeometry.Create(Width, Height, size, mode).MaskToSquare(marks, Width, Height), mark => mark != 0);
    }

    /// <summary>Whether it has the shape of an image of this size: what differs is no more than the rounding of a side.</summary>
    /// <param name="width">The image's columns, turned as it is inspected.</param>
    /// <param name="height">Its rows.</param>
    public bool Fits(int width, int height) => Math.Abs((long)Width * height - ((long)Height * width)) < Math.Max(width, height);

    /// <summary>The mask at an image's size: nearest pixel; the same object where it has that size.</summary>
    /// <param name="width">The image's columns, turned as it is inspected.</param>
    /// <param name="height">Its rows.</param>
    /// <param name="origin">What to call the mask in messages.</param>
    /// <exception cref="ImageReadException">It has another shape, and would mark other places:
    /// it is turned, or of another part of the image.</exception>
    public DefectMask ScaledTo(int width, int height, string origin)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if ((width, height) == (Width, Height))
        {
            return this;
        }

        if (!Fits(width, height))
        {
            throw new ImageReadException($"{origin}: the mask has {Width} x {Height} pixels, its image {width} x {height}: "
                + "expected the same shape. Check that it belongs to this image and is not turned or cut out.");
        }

        var scaled = new byte[checked(width * height)];
        for (var y = 0; y < height; y++)
        {
            var row = (int)((y + 0.5) * Height / height) * Width;
            for (var x = 0; x < width; x++)
            {
                scaled[(y * width) + x] = marks[row + (int)((x + 0.5) * Width / width)];
            }
        }

        return new(width, height, scaled);
    }

    private static DefectMask ReadFile(string path)
    {
        var origin = $"The mask '{path}'";
        var picture = ImageCodec.Read(ImageFileBytes.Read(path, origin, ImageCodec.DefaultMaxPixels), origin, out var info);
        var least = info.IsLossy ? LossyLevel : (byte)0;
        var marks = new byte[picture.Width * picture.Height];
        for (var p = 0; p < marks.Length; p++)
        {
            marks[p] = (byte)(Math.Max(picture.Rgb[3 * p], Math.Max(picture.Rgb[(3 * p) + 1], picture.Rgb[(3 * p) + 2])) > least ? 1 : 0);
        }

        return new(picture.Width, picture.Height, marks);
    }
}
