using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt;

/// <content>What the columns' machinery asks of it.</content>
public sealed partial class KagPromptTransformer
{
    ColumnOptions IRowScorer.Columns => Options.Columns;

    int IRowScorer.MapSize => Model.MapSize;

    /// <summary>
    /// Rows that a cursor scores together: <see cref="KagPromptOptions.InferenceBatchSize"/>, or what it leaves to the device.
    /// </summary>
    public int BatchSize => Options.InferenceBatchSize is var chosen and > 0 ? chosen : Model.ImagesAtOnce;

    InputColumns IRowScorer.InputOf(DataViewSchema schema) => InputOf(schema);

    IReadOnlyList<Inspection> IRowScorer.Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames)
        => Model.Inspect(images, classNames);

    PixelBuffer IRowScorer.ToModelSize(PixelBuffer image, string? className) => Model.ToModelSize(image, className);

    float[] IRowScorer.MapToImage(ReadOnlySpan<float> map, int width, int height) => Model.MapToImage(map, width, height);

    ThresholdCalibration IRowScorer.CalibrationOf(string? className)
        => Calibration(className ?? (Model.ClassNames.Count == 1 ? null : InspectionOptions.DefaultClassName));
}
