using System.Globalization;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>What the system says of this process's memory. Tests of a project run one after another.</summary>
internal static class ResidentMemory
{
    /// <summary>By how much the process's largest resident memory, while something is done, exceeds what it has now.</summary>
    public static long Growth(Action action)
    {
        // What is free but kept would be taken again without growing.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        NativeHeap.Release();
        Skip.IfNot(OperatingSystem.IsLinux() && Reset(), "The system does not tell the largest resident memory of a while.");
        var before = Status("VmRSS:");
        action();
        return Status("VmHWM:") - before;
    }

    private static bool Reset()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static long Status(string name)
        => long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal))
            .Split(' ', '\t', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
}
