using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model.Version2;

namespace Microsoft.ML.KagPrompt;

/// <summary>Lists the images of a data set, with product, split, label and mask.</summary>
/// <remarks>Reads folders and tables, not images. Thread-safe. Images come in an order that is the same everywhere.</remarks>
public static class AnomalyDataset
{
    private static readonly (
        DatasetLayout Layout,
        Func<string, bool> Matches,
        Func<string, Func<string, bool>, IReadOnlyList<DatasetImage>> List)[] Layouts =
    [
        (DatasetLayout.Manifest, ManifestLayout.Matches, (path, _) => ManifestLayout.List(path)),
        (DatasetLayout.VisA, VisALayout.Matches, (path, _) => VisALayout.List(path)),
        (DatasetLayout.MvTec, ProductLayout.MvTec.Matches, (path, _) => ProductLayout.MvTec.List(path)),
        (DatasetLayout.Btad, ProductLayout.Btad.Matches, (path, _) => ProductLayout.Btad.List(path)),
        (DatasetLayout.Kolektor, KolektorLayout.Matches, KolektorLayout.List),
        (DatasetLayout.Folders, _ => true, (path, _) => FoldersLayout.List(path)),
    ];

    /// <summary>
    /// Photographs in a data set's folder that are in no listing, because they are of a kind that is not read.
    /// Those that a manifest names are listed.
    /// </summary>
    /// <param name="path">As for <see cref="List"/>.</param>
    public static IReadOnlyList<string> LeftOut(string path) => Directory.Exists(path) ? PhotographFiles.LeftOut(path, depth: 4) : [];

    /// <summary>How a data set is laid out, where nobody says.</summary>
    /// <param name="path">As for <see cref="List"/>.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder or file.</exception>
    public static DatasetLayout LayoutOf(string path) => Find(path, DatasetLayout.Auto).Layout;

    /// <summary>Lists a data set.</summary>
    /// <param name="path">Its folder, or a manifest's file.</param>
    /// <param name="layout">How it is laid out.</param>
    /// <param name="showsDefect">Whether a mask's file shows anything; KolektorSDD and SDD2 label their images in no other way.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder or file.</exception>
    /// <exception cref="InsufficientDataException">It is not laid out so, or holds no image to fit on;
    /// says which folder was expected.</exception>
    public static IReadOnlyList<DatasetImage> List(
        string path, DatasetLayout layout = DatasetLayout.Auto, Func<string, bool>? showsDefect = null)
    {
        var found = Find(path, layout);
        var images = found.List(path, showsDefect ?? (_ => throw new ArgumentNullException(
            nameof(showsDefect),
            $"'{path}' is laid out as {DatasetLayout.Kolektor}, where only masks tell defects: "
                + "expected a function that reads them, got null.")));
        return images.Any(image => image.Split == DatasetSplit.Train) ? images
            : throw new InsufficientDataException($"'{path}' ({found.Layout}) holds no images to fit on: "
                + $"expected {string.Join(", ", ImageFiles.Extensions)} files in 'train/good', in 'good', or in the folder itself.");
    }

    private static (DatasetLayout Layout, Func<string, bool> Matches, Func<string, Func<string, bool>, IReadOnlyList<DatasetImage>> List)
        Find(string path, DatasetLayout layout)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path) && !File.Exists(path))
        {
            throw new DirectoryNotFoundException($"There is no folder or manifest '{path}'.");
        }

        return layout == DatasetLayout.Auto
            ? Layouts.First(known => known.Matches(path))
            : Layouts.First(known => known.Layout == layout);
    }
}
