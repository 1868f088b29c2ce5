namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>Files that appear whole or not at all, even when the process or the power fails meanwhile.</summary>
internal static class WholeFile
{
    /// <summary>
    /// What the writer wrote takes the file's place when it is done and on the disk; when it throws, the file stays as it was.
    /// </summary>
    public static void Write(string path, Action<Stream> write)
    {
        // A link's target is replaced, not the link.
        path = Path.GetFullPath(path);
        path = File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path : path;
        var folder = Path.GetDirectoryName(path)
            ?? throw new ArgumentException($"path: expected a file, got the folder '{path}'.", nameof(path));
        Directory.CreateDirectory(folder);
        // In the same folder: a move to another disk is a copy, which can be seen half done.
        var unfinished = $"{path}.{Path.GetRandomFileName()}.tmp";
        try
        {
            using (var stream = new FileStream(unfinished, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(unfinished, path, overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }
}
