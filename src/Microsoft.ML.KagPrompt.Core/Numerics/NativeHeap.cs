using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Lets the C library's heap keep the memory of temporaries. glibc gives large freed blocks back to the system, which
/// clears them page by page when they are asked for again: two thirds of the time of a training step and half of that of a forward pass.
/// Limits that the process was started with stay as they are; other C libraries have no such limits.
/// </summary>
internal static partial class NativeHeap
{
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MapThreshold = -3;

    // A thread's heaps are of this size: a smaller pad gives whole ones back.
    private const int HeapBytes = 64 << 20;

    private static readonly bool Keeps = Prepare();

    /// <summary>From now on, freed memory stays with the process; false where it cannot or the user chose otherwise.</summary>
    public static bool Keep() => Keeps;

    /// <summary>Gives back what is free, after work whose like will not come again soon.</summary>
    public static void Release()
    {
        if (Keeps)
        {
            _ = Trim(0);
        }
    }

    private static bool Prepare()
    {
        var chosen = new[] { "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES" }
            .Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 });
        if (chosen || !OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            return Set(MapThreshold, 1 << 30) + Set(TrimThreshold, int.MaxValue) + Set(TopPad, HeapBytes) == 3;
        }
        catch (Exception fault) when (fault is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int Set(int parameter, int value);

    [LibraryImport("libc.so.6", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);
}
