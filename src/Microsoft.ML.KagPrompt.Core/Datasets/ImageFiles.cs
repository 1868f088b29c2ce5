namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>Files and folders in an order that is the same everywhere, so that a seed means the same everywhere.</summary>
internal static class ImageFiles
{
    public const string Good = "good";

    public static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".bmp"];

    public static IReadOnlyList<string> In(string folder) => !Directory.Exists(folder) ? []
        : [.. Directory.GetFiles(folder).Where(path => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];

    public static IReadOnlyList<string> FoldersIn(string folder) => Directory.Exists(folder) ? [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal)] : [];

    /// <summary>An image of a name in a folder, whatever its extension: the first of the suffixes that there is.</summary>
    public static string? Named(string folder, string stem, params string[] suffixes)
        => suffixes.SelectMany(suffix => Extensions.Select(extension => Path.Combine(folder, stem + suffix + extension))).FirstOrDefault(File.Exists);

    public static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}
