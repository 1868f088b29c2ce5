using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>One image file of a data set.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="IsTraining">Whether it is meant for fitting.</param>
/// <param name="IsAnomalous">Whether it shows a defect; null where the layout does not say.</param>
/// <param name="DefectType">The folder's name: "good" or the kind of defect.</param>
/// <param name="MaskPath">Its ground-truth mask, if there is one.</param>
public sealed record InspectionFile(string Path, bool IsTraining, bool? IsAnomalous, string DefectType, string? MaskPath);

/// <summary>Finds the images of a folder: MVTec AD's layout, or <c>good</c> beside other folders, or plain images.</summary>
/// <remarks>Pure functions over the file system, thread-safe. Files come sorted by name, so that a seed means the same everywhere.</remarks>
public static class InspectionFolder
{
    private const string Good = "good";

    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".bmp"];

    /// <summary>Lists a folder's images.</summary>
    /// <remarks>
    /// MVTec AD: <c>train/good</c>, <c>test/TYPE</c>, <c>ground_truth/TYPE/NAME_mask.png</c> or <c>NAME.png</c>. Otherwise <c>good</c> for fitting and every other
    /// folder to be scored (anomalous, unless named "test", "query" or "unknown"), or images alone: all are for fitting, and none is left to score.
    /// </remarks>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InsufficientDataException">It holds no images in any of these layouts.</exception>
    public static IReadOnlyList<InspectionFile> List(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no folder '{folder}'.");
        }

        var train = Path.Combine(folder, "train", Good);
        var files = Directory.Exists(train) ? MvTec(folder, train)
            : Directory.Exists(Path.Combine(folder, Good)) ? GoodAndOthers(folder)
            : [.. Images(folder).Select(path => new InspectionFile(path, true, false, Good, null))];
        return files.Any(file => file.IsTraining) ? files
            : throw new InsufficientDataException($"'{folder}' holds no images to fit on: expected {string.Join(", ", Extensions)} files in 'train/good', in 'good', or in the folder itself.");
    }

    private static List<InspectionFile> MvTec(string folder, string train)
    {
        var files = Images(train).Select(path => new InspectionFile(path, true, false, Good, null)).ToList();
        foreach (var type in Folders(Path.Combine(folder, "test")))
        {
            var name = Path.GetFileName(type);
            files.AddRange(Images(type).Select(path => new InspectionFile(path, false, name != Good, name, name == Good ? null : Mask(folder, name, path))));
        }

        return files;
    }

    private static List<InspectionFile> GoodAndOthers(string folder)
    {
        var files = Images(Path.Combine(folder, Good)).Select(path => new InspectionFile(path, true, false, Good, null)).ToList();
        foreach (var type in Folders(folder).Where(path => Path.GetFileName(path) is not (Good or "ground_truth")))
        {
            var name = Path.GetFileName(type);
            files.AddRange(Images(type).Select(path => new InspectionFile(path, false, name is "test" or "query" or "unknown" ? null : true, name, Mask(folder, name, path))));
        }

        return files;
    }

    private static string? Mask(string folder, string type, string image)
    {
        var stem = Path.Combine(folder, "ground_truth", type, Path.GetFileNameWithoutExtension(image));
        return new[] { "_mask", "" }.SelectMany(suffix => Extensions.Select(extension => stem + suffix + extension)).FirstOrDefault(File.Exists);
    }

    private static IEnumerable<string> Folders(string folder) => Directory.Exists(folder) ? Directory.GetDirectories(folder).Order(StringComparer.Ordinal) : [];

    private static IEnumerable<string> Images(string folder) => Directory.GetFiles(folder)
        .Where(path => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal);
}
