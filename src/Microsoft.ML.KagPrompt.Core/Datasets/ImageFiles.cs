using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>Files and folders in an order that is the same everywhere, so that a seed means the same everywhere.</summary>
internal static class ImageFiles
{
    public const string Good = "good";

    public static IReadOnlyList<string> Extensions => ImageFormats.Extensions;

    public static IReadOnlyList<string> List(string folder) => !Directory.Exists(folder) ? []
        : [.. Directory.GetFiles(folder)
            .Where(path => ImageFormats.IsReadByName(path) && !PhotographFiles.IsAppleDouble(path))
            .Order(StringComparer.Ordinal)];

    public static IReadOnlyList<string> FoldersIn(string folder)
        => Directory.Exists(folder) ? [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal)] : [];

    public static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}
