using System.Runtime;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>What a process holds, by who holds it, when what is not needed was given back; bytes unless said otherwise.</summary>
/// <param name="Own">Resident memory that no file backs.</param>
/// <param name="Managed">Live objects of the managed heap.</param>
/// <param name="Used">Blocks of the C heap that were asked for and not freed: a native leak shows here.</param>
/// <param name="Free">What the C heap has of the system and nobody uses: holes between the blocks.</param>
/// <param name="Arenas">How many heaps the C library keeps: threads get one each, up to eight for every core (glibc).</param>
/// <param name="Code">Bytes of IL that were compiled so far: machine code and its tables grow with it.</param>
/// <param name="Tensors">How many tensors of torch are alive in managed hands.</param>
/// <param name="Threads">How many threads there are.</param>
/// <param name="Handles">How many files are open.</param>
internal sealed record HeldMemory(long Own, long Managed, long Used, long Free, int Arenas, long Code, long Tensors, int Threads, int Handles)
{
    public static HeldMemory Now()
    {
        var own = Scoring.Settled();
        var (used, free) = NativeBytes();
        return new(own, GC.GetTotalMemory(false), used, free, Heaps(), JitInfo.GetCompiledILBytes(), torch.Tensor.TotalCount,
            Count("/proc/self/task"), Scoring.Handles());
    }

    /// <summary>Whether more tensors are alive than before, or more files open than come and go.</summary>
    public bool IsMoreThan(HeldMemory before, int handles) => Tensors > before.Tensors || Handles > before.Handles + handles;

    public override string ToString() => FormattableString.Invariant(
        $"own {Own >> 10} kB, managed {Managed >> 10}, C heap {Used >> 10} used and {Free >> 10} free in {Arenas} arenas, compiled {Code >> 10}; {Tensors} tensors, {Threads} threads, {Handles} handles");

    private static int Count(string folder) => Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder).Length : 0;

    private static (long Used, long Free) NativeBytes()
    {
        if (!OperatingSystem.IsLinux())
        {
            return default;
        }

        var info = mallinfo2();
        return ((long)(info.InUse + info.MappedBytes), (long)info.Free);
    }

    private static int Heaps()
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        var stream = open_memstream(out var text, out _);
        _ = malloc_info(0, stream);
        _ = fclose(stream);
        var told = Marshal.PtrToStringUTF8(text)!;
        free(text);
        return told.Split("<heap nr=").Length - 1;
    }

    [DllImport("libc")]
    private static extern nint open_memstream(out nint text, out nuint length);

    [DllImport("libc")]
    private static extern int malloc_info(int options, nint stream);

    [DllImport("libc")]
    private static extern int fclose(nint stream);

    [DllImport("libc")]
    private static extern void free(nint block);

    [DllImport("libc")]
    private static extern Mallinfo mallinfo2();

    [StructLayout(LayoutKind.Sequential)]
    private struct Mallinfo
    {
        public nuint Arena, FreeChunks, FastChunks, Mapped, MappedBytes, MostUsed, FastBytes, InUse, Free, Trimmable;
    }
}
