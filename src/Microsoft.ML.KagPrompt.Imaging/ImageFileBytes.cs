using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Image files read whole into memory: native decoders must not call back into managed streams, where an error ends the process.
/// </summary>
internal static class ImageFileBytes
{
    // Two bytes for each of four channels, with room for a file that was packed badly.
    private const long MostBytesPerPixel = 16;
    private const long Slack = 16 << 20;

    /// <summary>The bytes of an ordinary file that begins like an image.</summary>
    /// <param name="path">The file.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <param name="maxPixels">Bounds its length too.</param>
    /// <exception cref="ImageReadException">There is no such file, it is none, it cannot be read, or it is no image.</exception>
    public static byte[] Read(string path, string origin, int maxPixels)
    {
        try
        {
            if (!RegularFile.Is(path))
            {
                throw new ImageReadException(Directory.Exists(path)
                    ? $"{origin} is a folder that cannot be listed, or is none that was expected here: expected {ImageFormats.Expected}."
                    : File.Exists(path) ? $"{origin} is no ordinary file but a pipe or a device: expected {ImageFormats.Expected}."
                    : $"{origin} cannot be read: there is no such file. Expected {ImageFormats.Expected}.");
            }

            using var handle = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete, options: FileOptions.SequentialScan);
            var length = RandomAccess.GetLength(handle);
            var head = new byte[ImageFormats.HeadLength];
            RequireKind(head.AsSpan(0, RandomAccess.Read(handle, head, 0)), origin);
            var most = Math.Min(Array.MaxLength, (MostBytesPerPixel * maxPixels) + Slack);
            if (length > most)
            {
                throw new ImageReadException($"{origin} has {length} bytes: expected at most {most} for an image of {maxPixels} pixels.");
            }

            var bytes = new byte[length];
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(handle, bytes.AsSpan(read), read) is > 0 and var more)
            {
                read += more;
            }

            return read == bytes.Length ? bytes : bytes[..read];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ImageReadException($"{origin} cannot be read. {fault.Message} Expected {ImageFormats.Expected}.", fault);
        }
    }

    /// <summary>The kind a file begins as, where it is one that is read.</summary>
    /// <exception cref="ImageReadException">It is none.</exception>
    public static string RequireKind(ReadOnlySpan<byte> head, string origin) => ImageFormats.NameOf(head) switch
    {
        _ when head.Length == 0 => throw new ImageReadException(
            $"{origin} is empty. Expected {ImageFormats.Expected}. Copy it again, after it was written to its end."),
        null => throw new ImageReadException(
            $"{origin} is not an image. Expected {ImageFormats.Expected}, whole. Check that it was written to its end."),
        var kind when !ImageFormats.IsRead(kind) => throw new ImageReadException(
            $"{origin} is a {kind} file, whatever it is called. Expected {ImageFormats.Expected}. Convert it."),
        var kind => kind,
    };
}
