using System.Text;

namespace Microsoft.ML.KagPrompt.Files;

/// <summary>
/// Files that appear whole or not at all, even when the process or the power fails meanwhile: what was written lies beside its place until
/// it is on the disk, then takes it, and then the folder's names are brought to the disk. The one way in which these libraries write files.
/// </summary>
/// <remarks>Thread-safe; of two writers of one file the later wins, whole.</remarks>
internal static class WholeFile
{
    /// <summary>
    /// What the writer wrote takes the file's place when it is done and on the disk; when it throws, the file stays as it was, and nothing
    /// beside it. The folder is made where there is none.
    /// </summary>
    /// <param name="path">The file; of a link the target is replaced.</param>
    /// <param name="write">Writes it; the stream can be read and sought.</param>
    /// <param name="sweeps">Whether what killed processes left of this file is deleted first: the folder is read for it.</param>
    /// <param name="mode">Who may read it from its first byte on, where the system has such modes.</param>
    /// <param name="flushFolder">Instead of <see cref="DurableFolder.Flush"/>; told of the folder when the file is in place.</param>
    /// <exception cref="IOException">It cannot be written, or the folder not flushed.</exception>
    public static void Write(
        string path, Action<Stream> write, bool sweeps = true, UnixFileMode? mode = null, Action<string>? flushFolder = null)
    {
        path = Path.GetFullPath(path);
        path = File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path : path;
        var folder = Path.GetDirectoryName(path)
            ?? throw new ArgumentException($"path: expected a file, got the folder '{path}'.", nameof(path));
        DurableFolder.Create(folder);
        if (sweeps)
        {
            Leftovers.SweepOf(path);
        }

        // In the same folder: a move to another disk is a copy, which can be seen half done.
        var unfinished = Leftovers.NameFor(path);
        try
        {
            using (var stream = Create(unfinished, mode))
            {
                write(stream);
                // Before it takes the place of a file that was whole: after a power failure there is one of the two.
                stream.Flush(flushToDisk: true);
            }

            File.Move(unfinished, path, overwrite: true);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }

        (flushFolder ?? DurableFolder.Flush)(folder);
    }

    /// <summary>The same of bytes that are there already; sweeps nothing.</summary>
    public static void Write(string path, ReadOnlyMemory<byte> bytes, UnixFileMode? mode = null)
        => Write(path, stream => stream.Write(bytes.Span), sweeps: false, mode);

    /// <summary>The same of text, as UTF-8 without a mark.</summary>
    public static void Write(string path, string text) => Write(path, stream => stream.Write(new UTF8Encoding(false).GetBytes(text)));

    /// <summary>Held alone as long as it grows: whoever sweeps leftovers sees that it is none.</summary>
    private static FileStream Create(string path, UnixFileMode? mode)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 1 << 16,
        };
        if (mode is not null && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        return new(path, options);
    }
}
