using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt.Hosting.Registry;

/// <summary>
/// Where things lie: ROOT/PRODUCT/VERSION/ has a version's files and "version.json"; ROOT/PRODUCT/active.json says which is served. Names
/// that begin with a dot are of work under way.
/// </summary>
internal sealed class FolderLayout(string root)
{
    public const string Record = "version.json";

    private const string Draft = ".new-";
    private const string Deleted = ".deleted-";

    // Longer than any copy of a model takes.
    private static readonly TimeSpan DraftsLast = TimeSpan.FromDays(1);

    public string Root { get; } = Path.GetFullPath(root);

    public string Product(string product) => Path.Combine(Root, product);

    public string Version(string product, string version) => Path.Combine(Root, product, version);

    public string RecordOf(string product, string version) => Path.Combine(Root, product, version, Record);

    public string Active(string product) => Path.Combine(Root, product, "active.json");

    public string Lock(string product) => Path.Combine(Root, product, ".lock");

    public string NewDraft(string product) => Path.Combine(Root, product, Draft + Path.GetRandomFileName());

    public string NewDeleted(string product) => Path.Combine(Root, product, Deleted + Path.GetRandomFileName());

    /// <summary>Folders of a folder that may be products or versions, by name.</summary>
    public static IEnumerable<string> Names(string folder) => !Directory.Exists(folder) ? []
        : Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)).Where(SafeName.Is).Order(StringComparer.Ordinal);

    /// <summary>Takes away what killed processes left: half versions, half pointers, half deletions. What others do now stays.</summary>
    public void Tidy(string product, DateTimeOffset now)
    {
        var folder = Product(product);
        foreach (var path in Directory.EnumerateFileSystemEntries(folder).Where(path => IsLeftover(path, now)).ToArray())
        {
            try
            {
                if (Directory.Exists(path))
                {
                    Directory.Delete(path, recursive: true);
                }
                else
                {
                    File.Delete(path);
                }
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Another process takes it away, or has it open: next time.
            }
        }
    }

    private static bool IsLeftover(string path, DateTimeOffset now)
    {
        var name = Path.GetFileName(path);
        return name.StartsWith(Deleted, StringComparison.Ordinal)
            || ((name.StartsWith(Draft, StringComparison.Ordinal) || name.EndsWith(Leftovers.Ending, StringComparison.Ordinal))
                && now - File.GetLastWriteTimeUtc(path) > DraftsLast);
    }
}
