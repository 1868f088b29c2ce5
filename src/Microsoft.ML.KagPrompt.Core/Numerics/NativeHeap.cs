using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// The C library's heap of this process. glibc gives large freed blocks back to the system, which clears them page by page when they are
/// asked for again; networks free and ask all the time. A process that does little else is faster where its heap keeps them; its resident
/// memory then stays at what it needed most (docs/explanation/limits.md). Nothing is changed unless asked.
/// </summary>
public static partial class NativeHeap
{
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MapThreshold = -3;

    // A thread's heaps are of this size: a smaller pad gives whole ones back.
    private const int HeapBytes = 64 << 20;

    private static readonly Lazy<bool> Prepared = new(Prepare);

    /// <summary>
    /// Lets the heap keep freed memory from now on, for the life of the process. Limits that it was started with (MALLOC_TRIM_THRESHOLD_,
    /// MALLOC_MMAP_THRESHOLD_, MALLOC_TOP_PAD_, GLIBC_TUNABLES) stay as they are. Best called once, first. Thread-safe.
    /// </summary>
    /// <returns>Whether it does: false where the process has limits of its own, or the C library is not glibc.</returns>
    public static bool Keep() => Prepared.Value;

    /// <summary>Gives back what is free, after work whose like will not come again soon.</summary>
    internal static void Release()
    {
        if (Prepared is { IsValueCreated: true, Value: true })
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
