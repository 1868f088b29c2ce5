using System.Runtime.InteropServices;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// How many threads compute for the one that calls. libtorch's own go on turning for some milliseconds after the least of work, on the
/// cores that the library's helpers need: between work that those do, libtorch does its small part alone.
/// </summary>
internal static unsafe class TorchThreads
{
    // OpenMP's: a number of each thread's own, where libtorch's function would change the whole process.
    private static readonly delegate* unmanaged<int, void> SetOwn = Find();

    [ThreadStatic]
    private static int before;

    /// <summary>As many as libtorch may use where it does not do its part alone.</summary>
    public static int Count => before > 0 ? before : torch.get_num_threads();

    /// <summary>
    /// Has libtorch do what this thread asks of it alone, until the scope ends. Changes nothing where OpenMP is not found.
    /// </summary>
    public static Scope Alone()
    {
        if (before > 0 || SetOwn == null || torch.get_num_threads() is not (> 1 and var count))
        {
            return default;
        }

        before = count;
        SetOwn(1);
        return new(isOuter: true);
    }

    private static delegate* unmanaged<int, void> Find()
    {
        var name = OperatingSystem.IsWindows() ? "libiomp5md.dll" : "libtorch_cpu.so";
        return NativeLibrary.TryLoad(name, out var library)
            && NativeLibrary.TryGetExport(library, "omp_set_num_threads", out var export) ? (delegate* unmanaged<int, void>)export : null;
    }

    /// <summary>Where libtorch works alone.</summary>
    internal readonly ref struct Scope(bool isOuter)
    {
        public void Dispose()
        {
            if (isOuter)
            {
                SetOwn(before);
                before = 0;
            }
        }
    }
}
