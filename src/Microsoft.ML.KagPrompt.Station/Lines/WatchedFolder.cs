namespace Microsoft.ML.KagPrompt.Station.Lines;

/// <summary>A folder below the allowed root, and what may be taken from it.</summary>
internal static class WatchedFolder
{
    public const string Done = "done";
    public const string Failed = "failed";

    /// <summary>Most files of one look: the next one has the rest.</summary>
    private const int MostFiles = 1000;

    // A link may lead anywhere; a device never ends.
    private const FileAttributes Skipped = FileAttributes.Hidden | FileAttributes.System | FileAttributes.ReparsePoint
        | FileAttributes.Device;

    private static readonly string[] Unfinished = [".tmp", ".part", ".partial", ".crdownload", ".filepart"];

    /// <summary>The folder's path.</summary>
    /// <exception cref="ArgumentException">It would lie outside, or a name is none.</exception>
    public static string Resolve(string root, string folder)
    {
        var names = folder.Split('/');
        if (folder.Length > 200 || names.Any(name => name.Length == 0 || name is Done or Failed || name[0] == '.' || name[^1] is '.' or ' '
            || name.Any(letter => !char.IsLetterOrDigit(letter) && letter is not ('-' or '_' or '.' or ' '))))
        {
            throw new ArgumentException($"Folder: expected names of letters, digits, '-', '_', '.' with '/' between them, "
                + $"neither '{Done}' nor '{Failed}', below {root}, got '{folder}'.");
        }

        var path = root;
        foreach (var name in names)
        {
            path = Path.Combine(path, name);
            // A link would lead elsewhere.
            if (new DirectoryInfo(path).LinkTarget is not null)
            {
                throw new ArgumentException($"Folder: '{path}' is a link; expected a folder below {root}.");
            }
        }

        return path;
    }

    /// <summary>Files that may be pictures, the oldest first.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="isLeft">Whether a file is done with, and stays.</param>
    public static IReadOnlyList<FileInfo> List(string path, Func<FileInfo, bool> isLeft) => [.. new DirectoryInfo(path)
        .EnumerateFiles("*", new EnumerationOptions { AttributesToSkip = Skipped })
        .Where(file => file.Name[0] != '.' && !Unfinished.Contains(file.Extension, StringComparer.OrdinalIgnoreCase) && !isLeft(file))
        .OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal).Take(MostFiles)];

    /// <summary>Moves a file into a folder beside it; what has its name there already stays.</summary>
    public static void Move(FileInfo file, string into, Guid id)
    {
        var folder = Path.Combine(file.DirectoryName!, into);
        Directory.CreateDirectory(folder);
        var target = Path.Combine(folder, file.Name);
        if (File.Exists(target))
        {
            target = Path.Combine(folder, $"{Path.GetFileNameWithoutExtension(file.Name)}-{id:N}{file.Extension}");
        }

        File.Move(file.FullName, target, overwrite: true);
    }
}
