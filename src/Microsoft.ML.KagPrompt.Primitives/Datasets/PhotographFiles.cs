using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// The photographs in a folder: what is called or begins like an image file, also of kinds that are not read,
/// so that none is left out without a word.
/// </summary>
/// <remarks>
/// Thread-safe. AppleDouble files (<c>._NAME</c>, which macOS leaves on other systems' disks) are no photographs.
/// Order is the same everywhere.
/// </remarks>
public static class PhotographFiles
{
    /// <summary>
    /// All photographs in a folder and below, each once however many links lead to it, and folders that cannot be listed.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="depth">How many folders deep; 0: this one alone.</param>
    public static IReadOnlyList<string> Below(string folder, int depth = int.MaxValue)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var (found, seen) = (new List<string>(), new HashSet<string>(StringComparer.Ordinal));
        // Linked folders come last: a file is named by its own folder, where it has one here.
        var folders = new PriorityQueue<(string Path, int Depth), (bool IsLink, int Order)>();
        folders.Enqueue((folder, 0), (false, 0));
        for (var order = 1; folders.TryDequeue(out var here, out var rank);)
        {
            var real = RealPath.Resolve(here.Path);
            if (!seen.Add(real))
            {
                continue;
            }

            try
            {
                found.AddRange(Directory.GetFiles(here.Path)
                    .Order(StringComparer.Ordinal)
                    .Where(file => IsPhotograph(file)
                        && seen.Add(RealPath.IsLink(file) ? RealPath.Resolve(file) : Path.Combine(real, Path.GetFileName(file)))));
                foreach (var below in here.Depth < depth
                    ? [.. Directory.GetDirectories(here.Path).Order(StringComparer.Ordinal)]
                    : Array.Empty<string>())
                {
                    folders.Enqueue((below, here.Depth + 1), (rank.IsLink || RealPath.IsLink(below), order++));
                }
            }
            catch (Exception fault) when (fault is UnauthorizedAccessException or IOException)
            {
                found.Add(here.Path);
            }
        }

        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <summary>A path without the links on it: two that lead to one file are the same.</summary>
    public static string RealPathOf(string path) => RealPath.Resolve(path);

    /// <summary>Those of <see cref="Below"/> that a data set leaves out: their extension is none that is read.</summary>
    public static IReadOnlyList<string> LeftOut(string folder, int depth = int.MaxValue)
        => [.. Below(folder, depth).Where(path => !ImageFormats.IsReadByName(path))];

    /// <summary>How many files were left out, of which kinds, and which: for the user's eye.</summary>
    /// <param name="files">The files.</param>
    /// <param name="root">The folder they are named from.</param>
    public static string Describe(IReadOnlyList<string> files, string root)
    {
        ArgumentNullException.ThrowIfNull(files);
        const int Named = 20;
        var kinds = files.GroupBy(file => Path.GetExtension(file).ToLowerInvariant()).OrderBy(kind => kind.Key, StringComparer.Ordinal)
            .Select(kind => $"{kind.Count()} {(kind.Key.Length == 0 ? "without extension" : kind.Key)}");
        var names = string.Join(", ", files.Take(Named).Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')));
        return $"{files.Count} photograph(s) are of a kind or name that is not read ({string.Join(", ", kinds)}): "
            + $"{names}{(files.Count > Named ? ", …" : "")}. "
            + $"Expected {string.Join(", ", ImageFormats.Extensions)} files; convert or rename them.";
    }

    /// <summary>Whether macOS wrote it beside a file of that name.</summary>
    internal static bool IsAppleDouble(string path) => Path.GetFileName(path.AsSpan()).StartsWith("._");

    private static bool IsPhotograph(string path) => !IsAppleDouble(path)
        && (ImageFormats.IsReadByName(path)
            || ImageFormats.IsUnreadByName(path)
            || ImageFormats.NameOf(RegularFile.Head(path, ImageFormats.HeadLength)) is not null);
}
