using Microsoft.ML.KagPrompt.Datasets;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>Images of a data set as a view that fitting and adapting read: Image, ClassName and Label.</summary>
internal static class ImageRows
{
    /// <summary>Images are decoded when their rows are read.</summary>
    public static IDataView ToDataView(MLContext ml, IEnumerable<DatasetImage> images)
    {
        var rows = ml.Data.LoadFromEnumerable(images.Select(image => new AnomalyDatasetRow
        {
            ImagePath = Path.GetFullPath(image.Path),
            ClassName = image.ClassName,
            Label = image.IsAnomalous switch { true => 1, false => 0, null => float.NaN },
        }).ToArray());
        return ml.Transforms.LoadImages("Image", "", nameof(AnomalyDatasetRow.ImagePath)).Fit(rows).Transform(rows);
    }

    /// <summary>
    /// A data set's images that are meant for fitting, each read once to see that it can be. What the user should know of them is written
    /// to the error stream.
    /// </summary>
    /// <param name="path">The data set.</param>
    /// <param name="layout">How it is laid out.</param>
    /// <param name="className">What the parts are; null: the data set says.</param>
    /// <param name="most">Most images a class, the first of them by name.</param>
    /// <exception cref="Diagnostics.ImageReadException">Photographs cannot be read; says which.</exception>
    public static DatasetImage[] ForFitting(string path, DatasetLayout layout, string? className, int most = int.MaxValue)
    {
        var train = AnomalyDataset.List(path, layout, mask => DefectMask.Read(mask).ShowsDefect)
            .Where(image => image.Split == DatasetSplit.Train)
            .Select(image => className is null ? image : image with { ClassName = className })
            .GroupBy(image => image.ClassName).SelectMany(product => product.Take(most)).ToArray();
        if (AnomalyDataset.LeftOut(path) is { Count: > 0 } leftOut)
        {
            Console.Error.WriteLine(PhotographFiles.Describe(leftOut, path));
        }

        new PhotographCheck(Console.Error.WriteLine).Run(train);
        return train;
    }
}
