using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Results.Files;

/// <summary>Makes the names in a folder outlast a power failure, as flushing a file does for its bytes.</summary>
internal static partial class DurableFolder
{
    private static readonly Lock Gate = new();

    /// <summary>Creates a folder and all above it, names flushed.</summary>
    public static void Create(string path)
    {
        // Who finds a folder there must not go on before its name is flushed.
        lock (Gate)
        {
            if (Directory.Exists(path))
            {
                return;
            }

            var parent = Path.GetDirectoryName(Path.GetFullPath(path));
            if (parent is not null)
            {
                Create(parent);
            }

            Directory.CreateDirectory(path);
            if (parent is not null)
            {
                Flush(parent);
            }
        }
    }

    /// <summary>Flushes a folder's names. Windows keeps them in its file system's own journal; there this does nothing.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // O_RDONLY; .NET opens no folders.
        var folder = Open(path, 0);
        if (folder < 0)
        {
            throw Fault(path);
        }

        try
        {
            if (Sync(folder) != 0)
            {
                throw Fault(path);
            }
        }
        finally
        {
            _ = Close(folder);
        }
    }

    private static IOException Fault(string path)
        => new($"The folder '{path}' cannot be flushed to disk: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);
}
