using System.Text;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>Files that appear whole or not at all.</summary>
internal static class AtomicFile
{
    public static void Write(string path, string text) => Write(path, stream => stream.Write(new UTF8Encoding(false).GetBytes(text)));

    /// <summary>What the writer wrote takes the file's place when it is done; when it throws, the file stays as it was.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        path = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var unfinished = Leftovers.NameFor(path);
        try
        {
            // Held alone as long as it grows: whoever sweeps leftovers sees that it is none.
            using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                write(stream);
                // Before it takes the place of a file that was whole: after a power cut there is one of the two.
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
