using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.KagPrompt.Files;

/// <summary>
/// Unfinished files: named after the file they will be and the process that writes them. Those of processes that were killed are swept.
/// </summary>
internal static class Leftovers
{
    /// <summary>Ends their names.</summary>
    public const string Ending = ".tmp";

    /// <summary>Where this process writes a file until it is whole: a name of each writing's own.</summary>
    public static string NameFor(string path)
        => string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]}{Ending}");

    /// <summary>Deletes what dead processes left of one file.</summary>
    public static void SweepOf(string path) => Sweep(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(path));

    /// <summary>The same, of all files right in a folder.</summary>
    public static void SweepIn(string folder) => Sweep(folder, null);

    /// <summary>Deletes the folders in which dead processes wrote one file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="held">A file in such a folder that its process keeps open, which no other may then open.</param>
    public static void SweepFoldersOf(string path, string held)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        try
        {
            foreach (var found in Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, "*" + Ending) : [])
            {
                if (Writer(Path.GetFileName(found), Path.GetFileName(path)) is { } process && !IsAlive(process))
                {
                    using (new FileStream(Path.Combine(found, held), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
                    {
                    }

                    Directory.Delete(found, recursive: true);
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // As below: it stays, and is in nobody's way.
        }
    }

    private static void Sweep(string folder, string? name)
    {
        try
        {
            foreach (var file in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*" + Ending) : [])
            {
                if (Writer(Path.GetFileName(file), name) is { } process && !IsAlive(process))
                {
                    Delete(file);
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // A folder that may be written but not read, or that went meanwhile.
        }
    }

    /// <summary>
    /// The number of the process that writes a file of this name, of the named file where one is named; null: it is no such file.
    /// </summary>
    private static int? Writer(string found, string? name)
    {
        var stem = found.EndsWith(Ending, StringComparison.Ordinal) ? found[..^Ending.Length] : "";
        var dot = stem.LastIndexOf('.');
        // Names of earlier versions have the number alone.
        return dot > 0 && (name is null || stem[..dot] == name)
            && int.TryParse(stem[(dot + 1)..].Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                ? process : null;
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
