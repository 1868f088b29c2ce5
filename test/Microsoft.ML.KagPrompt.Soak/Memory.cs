using System.Globalization;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>Resident memory of this process, where the system tells it (Linux); 0 elsewhere.</summary>
internal static class Memory
{
    private const string Status = "/proc/self/status";

    /// <summary>Forgets the highest figure so far; the present one, in bytes.</summary>
    public static long Reset()
    {
        if (!File.Exists(Status))
        {
            return 0;
        }

        File.WriteAllText("/proc/self/clear_refs", "5");
        return Read("VmRSS:");
    }

    /// <summary>The highest since then.</summary>
    public static long Highest() => File.Exists(Status) ? Read("VmHWM:") : 0;

    /// <summary>All that is resident.</summary>
    public static long Resident() => File.Exists(Status) ? Read("VmRSS:") : Environment.WorkingSet;

    /// <summary>What no file backs: pages of files come and go as the kernel likes.</summary>
    public static long Own() => File.Exists(Status) ? Read("RssAnon:") : Environment.WorkingSet;

    private static long Read(string name)
    {
        var line = File.ReadLines(Status).First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
