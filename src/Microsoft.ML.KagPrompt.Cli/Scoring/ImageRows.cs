using Microsoft.ML.KagPrompt.Datasets;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>Images of a data set as a view that fitting and adapting read: Image, ClassName and Label.</summary>
internal static class ImageRows
{
    /// <summary>Images are decoded when their rows are read.</summary>
    public static IDataView Of(MLContext ml, IEnumerable<DatasetImage> images)
    {
        var rows = ml.Data.LoadFromEnumerable(images.Select(image => new AnomalyDatasetRow
        {
            ImagePath = Path.GetFullPath(image.Path),
            ClassName = image.ClassName,
            Label = image.IsAnomalous switch { true => 1, false => 0, null => float.NaN },
        }).ToArray());
        return ml.Transforms.LoadImages("Image", "", nameof(AnomalyDatasetRow.ImagePath)).Fit(rows).Transform(rows);
    }

    /// <summary>A data set's images that are meant for fitting.</summary>
    public static DatasetImage[] ForFitting(string path, DatasetLayout layout, string? className)
        => [.. AnomalyDataset.List(path, layout, mask => DefectMask.Read(mask).ShowsDefect).Where(image => image.Split == DatasetSplit.Train).Select(image => className is null ? image : image with { ClassName = className })];
}
