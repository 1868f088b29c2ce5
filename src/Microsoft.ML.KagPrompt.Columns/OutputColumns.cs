using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt;

/// <summary>A scored row: the verdict, the picture where a heatmap is wanted, and why there is no verdict where there is none.</summary>
internal sealed record ScoredRow(Inspection Inspection, PixelBuffer? Picture, string? ClassName, string? Error = null);

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
        .. scorer.Columns.ErrorColumnName is null ? [] : new[] { Kind.Error },
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
        Error,
    }

    private bool Draws => scorer.Columns.Heatmap is not null || scorer.Columns.HeatmapPng is not null;

    public int Count => kinds.Length;

    /// <summary>Scores rows; pictures are kept only where the heatmap needs them.</summary>
    /// <exception cref="KagPromptException">A picture has no verdict, and there is no column to say so; names its row.</exception>
    public ScoredRow[] Inspect(IReadOnlyList<RowInput> rows)
    {
        var seen = rows.Where(row => row.Image is not null).ToArray();
        var verdicts = new Queue<ScoredRow>(Together(seen));
        return [.. rows.Select(row => row.Image is null ? Unseen(row, row.Error!) : verdicts.Dequeue())];
    }

    private IEnumerable<ScoredRow> Together(RowInput[] rows)
    {
        try
        {
            return rows.Length == 0 ? [] : scorer.Inspect([.. rows.Select(row => row.Image!)], [.. rows.Select(row => row.ClassName)])
                .Select((verdict, i) => Seen(rows[i], verdict));
        }
        catch (Exception fault) when (IsOfAPicture(fault))
        {
            // Which of them it is shows only when each is asked by itself.
            return [.. rows.Select(Alone)];
        }
    }

    private ScoredRow Alone(RowInput row)
    {
        try
        {
            return Seen(row, scorer.Inspect([row.Image!], [row.ClassName])[0]);
        }
        catch (Exception fault) when (IsOfAPicture(fault))
        {
            var message = $"{row.Origin}: {fault.Message}";
            return scorer.Columns.ErrorColumnName is not null ? Unseen(row, message)
                : throw (fault is NotFiniteException ? new NotFiniteException(message) : new ImageReadException(message, fault));
        }
    }

    private static bool IsOfAPicture(Exception fault) => fault is ImageReadException or NotFiniteException;

    private ScoredRow Seen(RowInput row, Inspection verdict) => new(verdict, Draws ? row.Image : null, row.ClassName);

    /// <summary>What was not seen is not passed.</summary>
    private ScoredRow Unseen(RowInput row, string error)
    {
        var side = scorer.Columns.MapResolution == MapResolution.Model ? scorer.MapSize : 0;
        var map = new float[side * side];
        Array.Fill(map, float.NaN);
        return new(new(float.NaN, true, float.NaN, float.NaN, map, side, side), null, row.ClassName, error);
    }

    /// <summary>A getter over whatever row is current.</summary>
    public Delegate Getter(int column, Func<ScoredRow> current) => kinds[column] switch
    {
        Kind.Score => (ValueGetter<float>)((ref float value) => value = current().Inspection.Score),
        Kind.PredictedLabel => (ValueGetter<bool>)((ref bool value) => value = current().Inspection.IsAnomalous),
        Kind.Probability => (ValueGetter<float>)((ref float value) => value = current().Inspection.Probability),
        Kind.AnomalyMap => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => Copy(current().Inspection.Map, ref value)),
        Kind.Heatmap => (ValueGetter<MLImage>)(
            (ref MLImage value) => value = Draw(current()) is { } drawn ? ImageAdapter.ToImage(drawn) : null!),
        Kind.HeatmapPng => (ValueGetter<VBuffer<byte>>)(
            (ref VBuffer<byte> value) => Copy(Draw(current()) is { } drawn ? ImageCodec.EncodePng(drawn) : [], ref value)),
        Kind.IsForeign => (ValueGetter<bool>)((ref bool value) => value = current().Inspection.IsForeign),
        Kind.Error => (ValueGetter<ReadOnlyMemory<char>>)(
            (ref ReadOnlyMemory<char> value) => value = current().Error.AsMemory()),
        _ => throw new ArgumentOutOfRangeException(nameof(column)),
    };

    private static void Copy<T>(T[] from, ref VBuffer<T> to)
    {
        var editor = VBufferEditor.Create(ref to, from.Length);
        from.CopyTo(editor.Values);
        to = editor.Commit();
    }

    /// <summary>The map over its picture, as its class's scale draws it; null where there is no verdict.</summary>
    private PixelBuffer? Draw(ScoredRow row)
    {
        if (row.Picture is not { } picture)
        {
            return null;
        }

        var inspection = row.Inspection;
        var map = inspection.Width == picture.Width && inspection.Height == picture.Height ? inspection.Map
            : scorer.MapToImage(inspection.Map, picture.Width, picture.Height);
        return HeatmapRenderer.Overlay(picture, map, MapScale.ForCalibration(scorer.CalibrationOf(row.ClassName)));
    }
}
