using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>
/// Unfinished files: named after the file they will be and the process that writes them. Those of processes that were killed are swept.
/// </summary>
internal static class Leftovers
{
    private const string Ending = ".tmp";

    /// <summary>Where this process writes a file until it is whole.</summary>
    public static string NameFor(string path) => string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}{Ending}");

    /// <summary>Deletes what dead processes left of one file.</summary>
    public static void SweepOf(string path) => Sweep(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(path));

    /// <summary>The same, of all files right in a folder.</summary>
    public static void SweepIn(string folder) => Sweep(folder, null);

    private static void Sweep(string folder, string? name)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var file in Directory.GetFiles(folder))
        {
            if (Path.GetFileName(file) is var found
                && found.EndsWith(Ending, StringComparison.Ordinal)
                && Path.GetFileNameWithoutExtension(found) is var stem
                && stem.LastIndexOf('.') is > 0 and var dot && (name is null || stem[..dot] == name)
                && int.TryParse(stem.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture,
                    out var process) && !IsAlive(process))
            {
                Delete(file);
            }
        }
    }

    /// <summary>Not where someone holds it: a process of another container has no number here.</summary>
    private static void Delete(string file)
    {
        try
        {
            using (new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            {
            }

            File.Delete(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // It stays: nobody asked for it to go, and it is in nobody's way.
        }
    }

    private static bool IsAlive(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
        catch (Exception fault) when (fault is InvalidOperationException or Win32Exception)
        {
            return true;
        }
    }
}
