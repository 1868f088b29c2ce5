using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Finds image files that are the same byte for byte: pictures that a model was fitted on tell nothing of what it makes of new ones.
/// </summary>
public static class IdenticalFiles
{
    /// <summary>Images meant for scoring that are identical to an image of the same class meant for fitting, with that one.</summary>
    /// <remarks>Only files of equal length are read. What cannot be read is like nothing.</remarks>
    public static IReadOnlyList<(DatasetImage Test, DatasetImage Train)> InTrainAndTest(IEnumerable<DatasetImage> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        var known = images.Select(image => (Image: image, Length: LengthOf(image.Path))).Where(entry => entry.Length > 0).ToArray();
        var lengths = known.Where(entry => entry.Image.Split == DatasetSplit.Train)
            .Select(entry => (entry.Image.ClassName, entry.Length))
            .ToHashSet();
        var tests = known
            .Where(entry => entry.Image.Split == DatasetSplit.Test && lengths.Contains((entry.Image.ClassName, entry.Length)))
            .ToArray();
        var wanted = tests.Select(entry => (entry.Image.ClassName, entry.Length)).ToHashSet();
        var train = new Dictionary<(string, string), DatasetImage>();
        foreach (var (image, length) in known
            .Where(entry => entry.Image.Split == DatasetSplit.Train && wanted.Contains((entry.Image.ClassName, entry.Length))))
        {
            if (DigestOf(image.Path) is { } digest)
            {
                train.TryAdd((image.ClassName, digest), image);
            }
        }

        return [.. tests.Select(entry => (entry.Image, Digest: DigestOf(entry.Image.Path)))
            .Where(entry => entry.Digest is not null && train.ContainsKey((entry.Image.ClassName, entry.Digest)))
            .Select(entry => (entry.Image, train[(entry.Image.ClassName, entry.Digest!)]))];
    }

    /// <summary>What to tell the user; null: nothing.</summary>
    /// <param name="images">A data set's images, of all splits.</param>
    /// <param name="root">The folder that images are named from.</param>
    public static string? Warning(IReadOnlyCollection<DatasetImage> images, string root)
    {
        const int Named = 10;
        var pairs = InTrainAndTest(images);
        string Name(DatasetImage image) => Path.GetRelativePath(root, Path.GetFullPath(image.Path)).Replace('\\', '/');
        return pairs.Count == 0 ? null
            : $"{pairs.Count} of {images.Count(image => image.Split == DatasetSplit.Test)} images to be scored are identical, "
                + "byte for byte, to images meant for fitting, and their scores flatter the model: "
                + string.Join(", ", pairs.Take(Named).Select(pair => $"{Name(pair.Test)} = {Name(pair.Train)}"))
                + $"{(pairs.Count > Named ? ", …" : "")}. Take them out of one of the two.";
    }

    private static long LengthOf(string path) => Imaging.RegularFile.Is(path) ? new FileInfo(RealPath.Resolve(path)).Length : 0;

    private static string? DigestOf(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexString(SHA256.HashData(stream));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
