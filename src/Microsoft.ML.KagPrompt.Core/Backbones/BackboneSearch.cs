using Microsoft.ML.KagPrompt.Backbones.Published;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>Where backbones lie that a model refers to.</summary>
internal static class BackboneSearch
{
    /// <summary>Folders of backbones, separated as in PATH.</summary>
    public const string EnvironmentVariable = "KAGPROMPT_BACKBONES";

    /// <summary>The given folders, then those of the environment variable.</summary>
    public static IReadOnlyList<string> Folders(IEnumerable<string> given)
        => [.. given
            .Concat((Environment.GetEnvironmentVariable(EnvironmentVariable) ?? "")
                .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            .Distinct()];

    /// <summary>
    /// Loads from the first file that has the reference's content: in a folder, in its folder "backbones",
    /// or in a folder right below either.
    /// </summary>
    /// <exception cref="ModelFormatException">There is none; the message says where it looked.</exception>
    public static (T Loaded, string Path) Load<T>(VisionReference reference, IReadOnlyList<string> folders, Func<ITensorSource, T> read)
        where T : class, IDisposable
    {
        var looked = folders.SelectMany(folder => new[] { folder, Path.Combine(folder, "backbones") }).Select(Path.GetFullPath)
            .Distinct().ToArray();
        var others = new List<string>();
        foreach (var file in looked.Where(Directory.Exists).SelectMany(Candidates).Distinct()
            .Where(file => LengthOf(file) == reference.Length && reference.Length > 0)
            .OrderByDescending(file => Likelihood(file, reference)))
        {
            try
            {
                if (FileHash.LoadIf(file, reference.Sha256, read) is { Loaded: { } loaded })
                {
                    return (loaded, file);
                }

                others.Add(file);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                others.Add(file);
            }
        }

        throw new ModelFormatException($"The model refers to a backbone that is not here: '{reference.FileName}', "
            + $"{reference.Length} bytes, SHA-256 {reference.Sha256}. "
            + (looked.Length == 0
                ? "There was no folder to look in"
                : $"Looked in {string.Join(", ", looked.Select(folder => $"'{folder}'"))} and the folders right below them")
            + (others.Count > 0
                ? $"; of the same size but of other content or unreadable: {string.Join(", ", others.Select(file => $"'{file}'"))}"
                : "")
            + $". Copy the backbone's directory beside the model, or name its folder in the environment variable {EnvironmentVariable}; "
            + "KagPromptModel.Load takes folders too.");
    }

    /// <summary>
    /// Which to read first: backbones of one architecture have files of one length,
    /// and a converted one's manifest says which content it has.
    /// </summary>
    private static int Likelihood(string file, VisionReference reference)
    {
        try
        {
            var directory = Path.GetDirectoryName(file)!;
            if (ConvertedBackbone.IsOne(directory))
            {
                return BackboneManifest.Read(directory).Vision.Sha256 == reference.Sha256 ? 2 : 0;
            }
        }
        catch (CheckpointFormatException)
        {
            // A damaged manifest says nothing of the file beside it.
        }

        return Path.GetFileName(file) == reference.FileName ? 1 : 0;
    }

    private static long LengthOf(string file)
    {
        try
        {
            return SmallFile.LengthOf(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // A link that leads nowhere is not the backbone.
            return 0;
        }
    }

    // What is no regular file (a device, a pipe) tells a length of 0, and is never opened.
    private static IEnumerable<string> Candidates(string folder)
    {
        var reachable = new EnumerationOptions { IgnoreInaccessible = true };
        return Directory.EnumerateFiles(folder, "*", reachable).Concat(
            Directory.EnumerateDirectories(folder, "*", reachable).SelectMany(below => Directory.EnumerateFiles(below, "*", reachable)));
    }
}
