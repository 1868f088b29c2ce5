using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>A view's rows as training images, decoded one at a time.</summary>
internal static class TrainingRows
{
    public static IEnumerable<TrainingImage> Read(IDataView input, InputColumns columns, IHost host)
    {
        using var cursor = input.GetRowCursor(columns.ForFitting);
        var (image, className, label, support) = (columns.ImageReader(cursor), columns.ClassReader(cursor), columns.LabelReader(cursor),
            columns.SupportReader(cursor));
        var place = new RowOrigin(cursor, RowOrigin.TextsOf(input.Schema));
        while (cursor.MoveNext())
        {
            host.CheckAlive();
            yield return new TrainingImage
            {
                Image = image(),
                ClassName = className() ?? InspectionOptions.DefaultClassName,
                IsAnomalous = label(),
                IsSupport = support(),
                Origin = place.File ?? $"row {cursor.Position}",
            };
        }
    }
}
