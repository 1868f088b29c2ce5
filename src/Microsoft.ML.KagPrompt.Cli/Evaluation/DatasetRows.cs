using Microsoft.ML.KagPrompt.Datasets;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Images of a data set as a view's rows.</summary>
internal static class DatasetRows
{
    /// <summary>Columns Image and ClassName; images are decoded when they are read.</summary>
    public static IDataView Of(MLContext ml, IEnumerable<DatasetImage> images)
    {
        var rows = ml.Data.LoadFromEnumerable(images.Select(image => new Row { ImagePath = Path.GetFullPath(image.Path), ClassName = image.ClassName }).ToArray());
        return ml.Transforms.LoadImages("Image", "", nameof(Row.ImagePath)).Fit(rows).Transform(rows);
    }

    internal sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string ClassName { get; set; } = "";
    }
}
