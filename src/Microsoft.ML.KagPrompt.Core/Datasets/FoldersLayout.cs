using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary><c>good</c> beside other folders, or images alone.</summary>
internal static class FoldersLayout
{
    public static IReadOnlyList<DatasetImage> List(string path)
    {
        var good = Path.Combine(path, ImageFiles.Good);
        if (!Directory.Exists(good))
        {
            return [.. ImageFiles.List(path).Select(image => Image(image, DatasetSplit.Train, false, ImageFiles.Good, null))];
        }

        var others = ImageFiles.FoldersIn(path).Where(folder => Path.GetFileName(folder) is not (ImageFiles.Good or "ground_truth"));
        var index = new MaskIndex();
        return
        [
            .. ImageFiles.List(good).Select(image => Image(image, DatasetSplit.Train, false, ImageFiles.Good, null)),
            .. others.SelectMany(folder => ImageFiles.List(folder).Select(image => Other(index, path, Path.GetFileName(folder), image))),
        ];
    }

    private static DatasetImage Other(MaskIndex index, string root, string type, string image) => Image(
        image,
        DatasetSplit.Test,
        type is "test" or "query" or "unknown" ? null : true,
        type,
        index.Find(Path.Combine(root, "ground_truth", type), Path.GetFileNameWithoutExtension(image), "_mask", ""));

    private static DatasetImage Image(string path, DatasetSplit split, bool? isAnomalous, string type, string? mask)
        => new(path, PromptEnsemble.DefaultClassName, split, isAnomalous, type, mask);
}
