using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Reporting;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Pictures;
using Microsoft.ML.KagPrompt.Station.Storage;
using Microsoft.ML.KagPrompt.Station.Teaching;

namespace Microsoft.ML.KagPrompt.Station.Lines;

/// <summary>A result with what its page shows, before the database has it.</summary>
/// <param name="Picture">JPEG, reduced.</param>
/// <param name="Map">PNG to be laid over the picture.</param>
internal sealed record LiveResult(InspectionRecord Record, byte[] Picture, byte[] Map);

/// <summary>One picture's way: inspected, recorded in the journal, measured.</summary>
internal sealed class InspectionPipeline(IInspector inspector, ResultRecorder recorder, FactsStore facts,
    PictureDecoder decoder, IDbContextFactory<StationDb> databases,
    TimeProvider time, ILogger<InspectionPipeline> log)
{
    /// <summary>When this ends without a fault, the result is on disk and survives the end of the process.</summary>
    /// <param name="id">Repeated with the same id, it counts once.</param>
    /// <param name="since">When the picture was there, by <see cref="TimeProvider.GetTimestamp"/>.</param>
    public async Task<LiveResult> InspectAsync(byte[] file, string product, string line, Guid id, long since, CancellationToken stop)
    {
        var inspection = await inspector.InspectAsync(file, product, stop);
        var record = new InspectionRecord(inspection, id, product, inspection.ModelVersion ?? "unknown", time.GetUtcNow())
        {
            CycleTime = time.GetElapsedTime(since),
            Line = line,
        };
        // What may fail of a picture fails before it is recorded: a result is never a failed file, too.
        var picture = await decoder.ReadAsync(file, stop);
        var live = new LiveResult(record, ImageCodec.EncodeJpeg(picture),
            Overlay(facts.Find(product, record.ModelVersion), inspection.Map, inspection.Height, inspection.Width));
        await recorder.RecordAsync(record, file, ResultMap.From(inspection), stop);
        await MeasureAsync(record, PictureMeasure.Compute(picture), stop);
        return live;
    }

    /// <summary>A map as a picture, by the scale of its version; of an unknown version by its own values.</summary>
    public static byte[] Overlay(ModelFacts? known, ReadOnlySpan<float> map, int height, int width)
    {
        var highest = 0f;
        foreach (var value in map)
        {
            highest = value > highest && float.IsFinite(value) ? value : highest;
        }

        return HeatmapRenderer.OverlayPng(map, width, height, known?.Scale ?? MapScale.Between(0, Math.Max(highest, 1e-6f)));
    }

    /// <summary>Of a product; the trend looks at fewer.</summary>
    private const int MostFigures = 1000;

    // Of less weight than the result: it is for the trend, and a fault here loses no part.
    private async Task MeasureAsync(InspectionRecord record, PictureMeasure measure, CancellationToken stop)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(stop);
            await db.Database.ExecuteSqlAsync($"""
                INSERT OR IGNORE INTO Figures (Id, Product, Time, Brightness, Sharpness)
                VALUES ({record.Id}, {record.Product}, {record.Time.UtcTicks}, {measure.Brightness}, {measure.Sharpness});
                DELETE FROM Figures WHERE Product = {record.Product} AND Time < (SELECT Time FROM Figures
                    WHERE Product = {record.Product} ORDER BY Time DESC LIMIT 1 OFFSET {MostFigures - 1})
                """, stop);
        }
        catch (System.Data.Common.DbException fault)
        {
            log.LogWarning(fault, "brightness and sharpness of {Id} were not kept", record.Id);
        }
    }
}
