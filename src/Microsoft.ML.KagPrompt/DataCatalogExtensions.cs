using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML;

/// <summary>Data sets in the field's layouts: <c>mlContext.Data.LoadAnomalyDataset(...)</c>.</summary>
public static class DataCatalogExtensions
{
    /// <summary>
    /// Rows of a data set's images: ImagePath, ClassName, Label, DefectType, MaskPath, Split (<see cref="AnomalyDatasetRow"/>). Images are
    /// not read.
    /// </summary>
    /// <param name="catalog">The data catalog.</param>
    /// <param name="path">The data set's folder, or a manifest's file (.csv, .jsonl).</param>
    /// <param name="layout">How it is laid out; recognised unless named.</param>
    /// <param name="split">Only the images meant for this; null: all.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder or file.</exception>
    /// <exception cref="InsufficientDataException">It is not laid out so, or holds no image to fit on; says which folder was
    /// expected.</exception>
    public static IDataView LoadAnomalyDataset(this DataOperationsCatalog catalog, string path, DatasetLayout layout = DatasetLayout.Auto,
        DatasetSplit? split = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        var images = AnomalyDataset.List(path, layout, mask => DefectMask.Read(mask).ShowsDefect);
        return catalog.LoadFromEnumerable(images.Where(image => split is null || image.Split == split).Select(image => new AnomalyDatasetRow
        {
            ImagePath = Path.GetFullPath(image.Path),
            ClassName = image.ClassName,
            Label = image.IsAnomalous switch { true => 1, false => 0, null => float.NaN },
            DefectType = image.DefectType,
            MaskPath = image.MaskPath is null ? "" : Path.GetFullPath(image.MaskPath),
            Split = image.Split.ToString().ToLowerInvariant(),
        }).ToArray());
    }
}
