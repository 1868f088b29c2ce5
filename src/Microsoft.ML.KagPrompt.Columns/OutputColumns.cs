using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt;

/// <summary>A scored row: the verdict, and the picture where a heatmap is wanted.</summary>
internal sealed record ScoredRow(Inspection Inspection, PixelBuffer? Picture, string? ClassName);

/// <summary>The values of the appended columns, by their position after the input's.</summary>
internal sealed class OutputColumns(IRowScorer scorer)
{
    /// <summary>What is appended, in the order of the schema.</summary>
    private readonly Kind[] kinds =
    [
        Kind.Score, Kind.PredictedLabel, Kind.AnomalyMap,
        .. scorer.Columns.Probability is null ? [] : new[] { Kind.Probability },
        .. scorer.Columns.Heatmap is null ? [] : new[] { Kind.Heatmap },
        .. scorer.Columns.HeatmapPng is null ? [] : new[] { Kind.HeatmapPng },
        .. scorer.Columns.IsForeign is null ? [] : new[] { Kind.IsForeign },
    ];

    private enum Kind
    {
        Score,
        PredictedLabel,
        AnomalyMap,
        Probability,
        Heatmap,
        HeatmapPng,
        IsForeign,
    }

    private bool Draws => scorer.Columns.Heatmap is not null || scorer.Columns.HeatmapPng is not null;

    public int Count => kinds.Length;

    /// <summary>Scores rows; pictures are kept only where the heatmap needs them.</summary>
    public ScoredRow[] Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames)
    {
        var results = scorer.Inspect(images, classNames);
        return [.. results.Select((result, i) => new ScoredRow(result, Draws ? images[i] : null, classNames[i]))];
    }

    /// <summary>A getter over whatever row is current.</summary>
    public Delegate Getter(int column, Func<ScoredRow> current) => kinds[column] switch
    {
        Kind.Score => (ValueGetter<float>)((ref float value) => value = current().Inspection.Score),
        Kind.PredictedLabel => (ValueGetter<bool>)((ref bool value) => value = current().Inspection.IsAnomalous),
        Kind.Probability => (ValueGetter<float>)((ref float value) => value = current().Inspection.Probability),
        Kind.AnomalyMap => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => Copy(current().Inspection.Map, ref value)),
        Kind.Heatmap => (ValueGetter<MLImage>)((ref MLImage value) => value = ImageAdapter.ToImage(Draw(current()))),
        Kind.HeatmapPng => (ValueGetter<VBuffer<byte>>)(
            (ref VBuffer<byte> value) => Copy(ImageCodec.EncodePng(Draw(current())), ref value)),
        Kind.IsForeign => (ValueGetter<bool>)((ref bool value) => value = current().Inspection.IsForeign),
        _ => throw new ArgumentOutOfRangeException(nameof(column)),
    };

    private static void Copy<T>(T[] from, ref VBuffer<T> to)
    {
        var editor = VBufferEditor.Create(ref to, from.Length);
        from.CopyTo(editor.Values);
        to = editor.Commit();
    }

    /// <summary>The map over its picture, as its class's scale draws it.</summary>
    private PixelBuffer Draw(ScoredRow row)
    {
        var (inspection, picture) = (row.Inspection, row.Picture!);
        var map = inspection.Width == picture.Width && inspection.Height == picture.Height ? inspection.Map
            : scorer.MapToImage(inspection.Map, picture.Width, picture.Height);
        return HeatmapRenderer.Overlay(picture, map, MapScale.ForCalibration(scorer.CalibrationOf(row.ClassName)));
    }
}
