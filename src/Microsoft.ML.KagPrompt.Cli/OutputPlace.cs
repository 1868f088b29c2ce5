using System.Globalization;
using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>Tries places to write to before the work begins, so that none is done in vain.</summary>
internal static class OutputPlace
{
    /// <summary>Room that anything written here needs.</summary>
    private const int Least = 1 << 20;

    /// <summary>
    /// That a file can be written here; sweeps what dead processes left of it. Folders on the way are made; nothing else stays of the
    /// trial.
    /// </summary>
    /// <param name="path">The file; null: none is asked for.</param>
    /// <param name="bytes">What it will take, as far as is known.</param>
    /// <exception cref="IOException">It cannot; says why.</exception>
    public static void RequireFile(string? path, long bytes = 0)
    {
        if (path is null)
        {
            return;
        }

        var full = Within(path, () => Path.GetFullPath(path));
        if (path.Length == 0 || Directory.Exists(full) || Path.EndsInDirectorySeparator(full))
        {
            throw new IOException($"Cannot write '{path}': it is a folder. Name a file.");
        }

        if (Path.GetFileName(full) is var name && IsDevice(full))
        {
            throw new IOException($"Cannot write '{path}': '{name}' is a device, and a file that appears whole cannot take its place. "
                + "Name a file.");
        }

        Within(path, () => Try(full, Math.Max(bytes, Least)));
    }

    /// <summary>That files can be written into a folder; sweeps what dead processes left in it.</summary>
    public static void RequireFolder(string? folder)
    {
        if (folder is null)
        {
            return;
        }

        if (folder.Length == 0 || File.Exists(folder))
        {
            throw new IOException($"Cannot write into '{folder}': it is a file. Name a folder.");
        }

        Within(folder, () =>
        {
            Try(Path.Combine(Path.GetFullPath(folder), "trial"), Least);
            Leftovers.SweepIn(folder);
        });
    }

    private static void Try(string path, long bytes)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        Leftovers.SweepOf(path);
        if (new DriveInfo(folder).AvailableFreeSpace is var free && free < bytes)
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"there are {free / 1e6:0.0} MB of room, "
                + $"and it takes {bytes / 1e6:0.0} MB or more."));
        }

        var trial = Leftovers.NameFor(path);
        try
        {
            // What the file system promises, and what a quota grants, may differ.
            using var stream = new FileStream(trial, FileMode.Create, FileAccess.Write, FileShare.None, 0);
            stream.Write(new byte[Least]);
            stream.Flush(flushToDisk: true);
        }
        finally
        {
            File.Delete(trial);
        }
    }

    private static bool IsDevice(string path)
        => !OperatingSystem.IsWindows()
            && path.StartsWith("/dev/", StringComparison.Ordinal)
            && !path.StartsWith("/dev/shm/", StringComparison.Ordinal);

    private static void Within(string path, Action action) => Within(path, () =>
    {
        action();
        return true;
    });

    private static T Within<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new IOException($"Cannot write '{path}': {fault.Message} Choose another place.", fault);
        }
    }
}
