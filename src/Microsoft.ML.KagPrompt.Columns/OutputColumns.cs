using System.Runtime.ExceptionServices;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt;

/// <summary>A scored row: what was read of it, the verdict, and why there is no verdict where there is none.</summary>
/// <param name="Input">What was read.</param>
/// <param name="Inspection">The verdict, with a map of the model's size.</param>
/// <param name="Error">Why there is none, where a column says so.</param>
/// <param name="Fault">The same where no column does: whoever comes to the row is told by this.</param>
internal sealed record ScoredRow(RowInput Input, Inspection Inspection, string? Error = null, Exception? Fault = null)
{
    /// <summary>This row, unless coming to it fails.</summary>
    public ScoredRow OrThrow()
    {
        if (Fault is not null)
        {
            ExceptionDispatchInfo.Throw(Fault);
        }

        return this;
    }
}

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

    private bool AtImageSize => scorer.Columns.MapResolution == MapResolution.Image;

    private bool SaysErrors => scorer.Columns.ErrorColumnName is not null;

    private bool Draws => scorer.Columns.Heatmap is not null || scorer.Columns.HeatmapPng is not null;

    public int Count => kinds.Length;

    /// <summary>A row as the network takes it; the picture is kept whole only where a heat map is drawn over it.</summary>
    /// <exception cref="ImageReadException">The picture has another shape than its class's region, and there is no column to say
    /// so.</exception>
    public RowInput Prepare(RowInput row)
    {
        if (row.Image is not { } image)
        {
            return row;
        }

        try
        {
            return row with
            {
                Image = scorer.ToModelSize(image, row.ClassName),
                Size = (image.Width, image.Height),
                Whole = Draws ? image : null,
            };
        }
        catch (ImageReadException fault)
        {
            var message = $"{row.Origin}: {fault.Message}";
            return SaysErrors ? row with { Image = null, Error = message } : throw new ImageReadException(message, fault);
        }
    }

    /// <summary>Scores rows that were prepared. What keeps one from a verdict, and no column says, is that row's to throw.</summary>
    public ScoredRow[] Inspect(IReadOnlyList<RowInput> rows)
    {
        var seen = rows.Where(row => row.Image is not null).ToArray();
        var verdicts = new Queue<ScoredRow>(Together(seen));
        return [.. rows.Select(row => row.Image is null ? Unseen(row, row.Error!) : verdicts.Dequeue())];
    }

    private ScoredRow[] Together(RowInput[] rows)
    {
        try
        {
            return rows.Length == 0 ? [] : [.. scorer.Inspect([.. rows.Select(row => row.Image!)], [.. rows.Select(row => row.ClassName)])
                .Select((verdict, i) => new ScoredRow(rows[i], verdict))];
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
            return new(row, scorer.Inspect([row.Image!], [row.ClassName])[0]);
        }
        catch (Exception fault) when (IsOfAPicture(fault))
        {
            var message = $"{row.Origin}: {fault.Message}";
            return SaysErrors ? Unseen(row, message) : Unseen(row, message) with
            {
                Fault = fault is NotFiniteException ? new NotFiniteException(message) : new ImageReadException(message, fault),
            };
        }
    }

    private static bool IsOfAPicture(Exception fault) => fault is ImageReadException or NotFiniteException;

    /// <summary>What was not seen is not passed.</summary>
    private ScoredRow Unseen(RowInput row, string error)
    {
        var side = AtImageSize ? 0 : scorer.MapSize;
        var map = new float[side * side];
        Array.Fill(map, float.NaN);
        return new(row with { Whole = null }, new(float.NaN, true, float.NaN, float.NaN, map, side, side), error);
    }

    /// <summary>A getter over whatever row is current.</summary>
    public Delegate Getter(int column, Func<ScoredRow> current) => kinds[column] switch
    {
        Kind.Score => (ValueGetter<float>)((ref float value) => value = current().Inspection.Score),
        Kind.PredictedLabel => (ValueGetter<bool>)((ref bool value) => value = current().Inspection.IsAnomalous),
        Kind.Probability => (ValueGetter<float>)((ref float value) => value = current().Inspection.Probability),
        Kind.AnomalyMap => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => Copy(Map(current()), ref value)),
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

    /// <summary>The map at the size that was asked for: made as it is read, for at an image's own size it is large.</summary>
    private float[] Map(ScoredRow row) => AtImageSize && row.Error is null
        ? scorer.MapToImage(row.Inspection.Map, row.Input.Size.Width, row.Input.Size.Height)
        : row.Inspection.Map;

    /// <summary>The map over its picture, as its class's scale draws it; null where there is no verdict.</summary>
    private PixelBuffer? Draw(ScoredRow row) => row.Input.Whole is not { } picture ? null
        : HeatmapRenderer.Overlay(picture, scorer.MapToImage(row.Inspection.Map, picture.Width, picture.Height),
            MapScale.ForCalibration(scorer.CalibrationOf(row.Input.ClassName)));
}
