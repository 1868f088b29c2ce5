using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt.Cli.Exporting;

/// <summary>
/// A folder beside an exported file's place where the file lies, under its own name, until it is known to score as its model does: weights
/// that lie in a second file are found by that name. Disposing it deletes what was not accepted.
/// </summary>
internal sealed class UnprovenFiles : IDisposable
{
    private const string Held = "held";
    private const string DataSuffix = ".data";

    private readonly string place;
    private readonly string folder;
    private readonly FileStream held;

    /// <param name="path">Where the file is to lie; its folder is there.</param>
    public UnprovenFiles(string path)
    {
        place = Path.GetFullPath(path);
        var target = Target(place);
        Leftovers.SweepFoldersOf(target, Held);
        // On the same disk: a move to another is a copy, which can be seen half done.
        folder = Leftovers.NameFor(target);
        Directory.CreateDirectory(folder);
        held = new FileStream(Path.Combine(folder, Held), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>Where it is written.</summary>
    public string WritePath => Path.Combine(folder, Path.GetFileName(place));

    /// <summary>Puts what was written in its place: the weights first, as a file without them cannot be read.</summary>
    public void Accept()
    {
        if (File.Exists(WritePath + DataSuffix))
        {
            File.Move(WritePath + DataSuffix, Target(place + DataSuffix), overwrite: true);
        }

        File.Move(WritePath, Target(place), overwrite: true);
        DurableFolder.Flush(Path.GetDirectoryName(Target(place))!);
    }

    public void Dispose()
    {
        held.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Of a link, what it leads to is replaced.</summary>
    private static string Target(string path)
        => File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path : path;
}
