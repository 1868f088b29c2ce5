using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>Files that say what of a product's images is inspected.</summary>
/// <remarks>Pure functions, thread-safe.</remarks>
public static class RegionFile
{
    // Drawn in white and black; lossy files have greys along the edges.
    private const byte Level = 127;

    /// <summary>
    /// Reads a region: a picture of the images' shape, of which white (brighter than half in any channel) is inspected and black is not;
    /// or JSON as <see cref="InspectionRegion.FromJson"/> takes it. Told by content, whatever the file is called.
    /// </summary>
    /// <param name="path">The file; an ordinary one.</param>
    /// <exception cref="ImageReadException">It cannot be read, is neither, or marks nothing to inspect.</exception>
    public static InspectionRegion Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var origin = $"The region '{path}'";
        return IsText(RegularFile.Head(path, ImageFormats.HeadLength)) ? RegionJson.Parse(Text(path, origin), origin)
            : Picture(path, origin);
    }

    /// <summary>Whether a file begins as JSON does.</summary>
    private static bool IsText(ReadOnlySpan<byte> head)
        => (head.StartsWith("\uFEFF"u8) ? head[3..] : head).TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..];

    private static byte[] Text(string path, string origin)
    {
        try
        {
            using var file = File.OpenRead(path);
            return file.Length <= RegionJson.MostBytes ? File.ReadAllBytes(path)
                : throw new ImageReadException($"{origin} has {file.Length} bytes: expected at most {RegionJson.MostBytes}. "
                    + "Draw it with fewer points, or give a picture.");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ImageReadException($"{origin} cannot be read. {fault.Message}", fault);
        }
    }

    private static InspectionRegion Picture(string path, string origin)
    {
        var picture = ImageCodec.Read(ImageFileBytes.Read(path, origin, ImageCodec.DefaultMaxPixels), origin);
        var mask = new byte[picture.Width * picture.Height];
        for (var p = 0; p < mask.Length; p++)
        {
            mask[p] = (byte)(picture.Rgb.AsSpan(3 * p, 3).ContainsAnyExceptInRange((byte)0, Level) ? 1 : 0);
        }

        try
        {
            return InspectionRegion.FromMask(picture.Width, picture.Height, mask);
        }
        catch (ArgumentException fault)
        {
            throw new ImageReadException($"{origin}: {fault.Message}", fault);
        }
    }
}
