using System.Security.Cryptography;
using System.Text;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>What tells, without reading them, whether files are still those of an earlier run.</summary>
internal static class FileStamps
{
    /// <summary>
    /// A digest of names, lengths and times of writing of a file, or of all files in a folder; what is no path, as it is.
    /// </summary>
    public static string Compute(string path)
    {
        var stamps = Stamps(path).ToArray();
        return stamps.Length == 0 ? path : Digest(stamps);
    }

    /// <summary>A digest of the images, of what is known of each, and of their masks.</summary>
    public static string Compute(IEnumerable<DatasetImage> images) => Digest(images.SelectMany(image => Stamps(image.Path)
        .Concat(image.MaskPath is null ? [] : Stamps(image.MaskPath))
        .Append($"{image.Path} {image.ClassName} {image.Split} {image.IsAnomalous} {image.DefectType} {image.MaskPath}")));

    private static IEnumerable<string> Stamps(string path)
    {
        var files = Directory.Exists(path) ? new DirectoryInfo(path).GetFiles("*", SearchOption.AllDirectories)
            : File.Exists(path) ? [new FileInfo(path)]
            : [];
        return files.OrderBy(file => file.FullName, StringComparer.Ordinal)
            .Select(file => FormattableString.Invariant($"{file.FullName} {file.Length} {file.LastWriteTimeUtc:O}"));
    }

    private static string Digest(IEnumerable<string> lines)
        => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
}
