using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Storage;
using Microsoft.ML.KagPrompt.Station.Teaching;

namespace Microsoft.ML.KagPrompt.Station.Watching;

/// <summary>An hour's scores.</summary>
internal sealed record HourOfScores(DateTimeOffset Hour, int Total, int Anomalous, double Low, double Middle, double High);

/// <summary>How a product goes.</summary>
internal sealed record Trend(IReadOnlyList<HourOfScores> Hours, IReadOnlyList<PictureFigures> Figures, IReadOnlyList<Drift> Drifts,
    ModelFacts? Facts,
    double MiddleBrightness, double MiddleSharpness);

/// <summary>Scores by the hour, and pictures against the teaching photographs.</summary>
internal sealed class Watcher(IResultStore store, IModelRegistry registry, FactsStore facts, IDbContextFactory<StationDb> databases,
    TimeProvider time)
{
    private static readonly double[] Shares = [0.1, 0.5, 0.9];

    public async Task<Trend> LookAsync(string product, int hours, CancellationToken stop = default)
    {
        var active = await registry.GetActiveAsync(product, stop);
        var known = active is null ? null : facts.Find(product, active.Id);
        var counts = await store.CountByHourAsync(new() { Product = product, From = time.GetUtcNow().AddHours(-hours) }, stop);
        var scores = new List<HourOfScores>();
        foreach (var hour in counts)
        {
            var quantiles = await store.QuantilesAsync(new() { Product = product, From = hour.Hour, To = hour.Hour.AddHours(1) }, Shares,
                stop);
            if (quantiles.Count == Shares.Length)
            {
                scores.Add(new(hour.Hour, hour.Total, hour.Anomalous, quantiles[0], quantiles[1], quantiles[2]));
            }
        }

        await using var db = await databases.CreateDbContextAsync(stop);
        var figures = await db.Figures.AsNoTracking().Where(each => each.Product == product).OrderByDescending(each => each.Time)
            .Take(DriftRule.Recent).ToListAsync(stop);
        return new(scores, figures, await DriftsAsync(product, active, known, figures, stop), known,
            DriftRule.Median([.. figures.Select(each => each.Brightness)]), DriftRule.Median([.. figures.Select(each => each.Sharpness)]));
    }

    private async Task<IReadOnlyList<Drift>> DriftsAsync(string product, ModelVersion? active, ModelFacts? known,
        List<PictureFigures> figures,
        CancellationToken stop)
    {
        var found = new List<Drift?>();
        if (known is not null)
        {
            found.Add(DriftRule.Find(DriftKind.Brightness, [.. figures.Select(each => each.Brightness)],
                [.. known.Measures.Select(each => each.Brightness)]));
            found.Add(DriftRule.Find(DriftKind.Sharpness, [.. figures.Select(each => each.Sharpness)],
                [.. known.Measures.Select(each => each.Sharpness)]));
        }

        if (active is not null)
        {
            // Scores are of a version: its last parts against its first ones, where both are there and none counts twice.
            var since = new ResultFilter { Product = product, From = active.PublishedAt };
            // Another version may have served since, and been rolled back.
            async Task<List<StoredResult>> FirstIn(ResultOrder order)
                => [.. (await store.QueryAsync(since, order, DriftRule.Recent, null, stop)).Results
                    .Where(each => each.ModelVersion == active.Id)];
            var (first, last) = (await FirstIn(ResultOrder.Oldest), await FirstIn(ResultOrder.Newest));
            if (first.Count > 0 && last.Count > 0 && last[^1].Time > first[^1].Time)
            {
                found.Add(DriftRule.Find(DriftKind.Score, [.. last.Select(each => (double)each.Score)],
                    [.. first.Select(each => (double)each.Score)]));
            }
        }

        return [.. found.OfType<Drift>()];
    }
}
