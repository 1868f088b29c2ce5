using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Reads small files whole: regular ones of a bounded length, so that a link to a device or a pipe is never read without end.
/// </summary>
internal static class SmallFile
{
    /// <summary>
    /// A file's bytes; of a link, those of what it leads to (model caches are made of links), where .NET tells the link's own.
    /// </summary>
    /// <exception cref="IOException">There is none, or the link leads nowhere.</exception>
    public static long LengthOf(string path)
    {
        var file = new FileInfo(path);
        return (file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).Length;
    }

    /// <exception cref="CheckpointFormatException">It is empty, no regular file, or larger than allowed.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[] ReadAll(string path, long largest)
    {
        // Devices and pipes tell a length of 0; it is asked for before opening, which a pipe would not return from.
        var length = LengthOf(path);
        if (length < 1 || length > largest)
        {
            throw new CheckpointFormatException($"{path}: expected a file of 1 to {largest} bytes, got {length}.");
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var bytes = new byte[length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
