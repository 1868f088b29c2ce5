using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>Tells files from what is only called so: to open a named pipe waits for ever, and a device has no end.</summary>
internal static partial class RegularFile
{
    private const int KindMask = 0xF000;
    private const int Regular = 0x8000;

    /// <summary>Whether a path leads, over links too, to an ordinary file.</summary>
    public static bool Is(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        if (OperatingSystem.IsWindows())
        {
            return (File.GetAttributes(path) & (FileAttributes.Directory | FileAttributes.Device)) == 0;
        }

        try
        {
            // .NET has no call that tells; its own native part fills a structure whose second number is the mode,
            // with the same bits on every Unix.
            Span<int> status = stackalloc int[64];
            return Stat(path, status) != 0 || (status[1] & KindMask) == Regular;
        }
        catch (Exception fault) when (fault is DllNotFoundException or EntryPointNotFoundException)
        {
            return true;
        }
    }

    /// <summary>The first bytes of an ordinary file; none where it cannot be read.</summary>
    public static byte[] Head(string path, int length)
    {
        try
        {
            if (!Is(path))
            {
                return [];
            }

            var head = new byte[length];
            using var handle = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            return head[..RandomAccess.Read(handle, head, 0)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static unsafe int Stat(string path, Span<int> status)
    {
        fixed (int* pointer = status)
        {
            return Stat(path, pointer);
        }
    }

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Stat", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Stat(string path, int* status);
}
