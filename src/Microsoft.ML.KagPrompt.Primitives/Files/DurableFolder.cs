using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Files;

/// <summary>Makes the names in a folder outlast a power failure, as flushing a file does for its bytes.</summary>
internal static partial class DurableFolder
{
    // EPERM, EBADF, EACCES, EINVAL: of one number on Linux and macOS.
    private const int NotPermitted = 1, BadHandle = 9, NotPermittedToOpen = 13, BadArgument = 22;

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

    /// <summary>
    /// Flushes a folder's names. Windows keeps them in its file system's own journal; there this does nothing, nor where the system opens
    /// no such folder for reading, where its file system flushes none (some of networks), or where there is no such call.
    /// </summary>
    /// <exception cref="IOException">The disk refused, or the folder is not there.</exception>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        try
        {
            FlushOpened(path);
        }
        catch (Exception fault) when (fault is DllNotFoundException or EntryPointNotFoundException)
        {
            // No such C library: what it writes is its own affair.
        }
    }

    private static void FlushOpened(string path)
    {
        // O_RDONLY; .NET opens no folders.
        var folder = Open(path, 0);
        if (folder < 0)
        {
            Refuse(path, NotPermitted, NotPermittedToOpen);
            return;
        }

        try
        {
            if (Sync(folder) != 0)
            {
                Refuse(path, BadHandle, BadArgument);
            }
        }
        finally
        {
            _ = Close(folder);
        }
    }

    /// <summary>Unless the fault says that there is nothing to be done here.</summary>
    private static void Refuse(string path, params ReadOnlySpan<int> nothingToDo)
    {
        var fault = Marshal.GetLastPInvokeError();
        if (!nothingToDo.Contains(fault))
        {
            throw new IOException($"The folder '{path}' cannot be flushed to disk: {new Win32Exception(fault).Message}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);
}
