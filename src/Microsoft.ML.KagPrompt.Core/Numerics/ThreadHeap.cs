using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Room for what networks free and ask for again, in the calling thread's own heap. glibc gives a thread heaps of 64 MiB one by one, and
/// each back to the system as soon as nothing lies in it: the next forward would fetch its pages anew, at a third of its time. A small
/// block in each keeps them. Takes address space and few pages; those that are used stay.
/// </summary>
internal static unsafe class ThreadHeap
{
    private const int HeapBits = 26, Heaps = 2;

    // Below what glibc takes from the system apart.
    private const int BlockBytes = 100 << 10;

    public static void Reserve()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var blocks = new nint[(Heaps << HeapBits) / BlockBytes];
        try
        {
            for (var i = 0; i < blocks.Length; i++)
            {
                blocks[i] = (nint)NativeMemory.Alloc(BlockBytes);
            }
        }
        catch (OutOfMemoryException)
        {
            // It does without.
            Array.ForEach(blocks, block => NativeMemory.Free((void*)block));
            return;
        }

        // Kept are the first of each heap but the first, and the last: behind it would be given back.
        for (var i = 0; i < blocks.Length - 1; i++)
        {
            if (i == 0 || blocks[i] >> HeapBits == blocks[i - 1] >> HeapBits)
            {
                NativeMemory.Free((void*)blocks[i]);
            }
        }
    }
}
