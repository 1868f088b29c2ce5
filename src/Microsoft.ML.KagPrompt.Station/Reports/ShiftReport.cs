using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Watching;

namespace Microsoft.ML.KagPrompt.Station.Reports;

/// <summary>What a shift was.</summary>
internal sealed record ShiftReport
{
    public required string Product { get; init; }

    public required DateTimeOffset From { get; init; }

    public required DateTimeOffset To { get; init; }

    public int Total { get; init; }

    public int Rejected { get; init; }

    public int Foreign { get; init; }

    public int FalseAlarms { get; init; }

    public int Missed { get; init; }

    public int Confirmed { get; init; }

    public required IReadOnlyList<HourlyCount> Hours { get; init; }

    public required IReadOnlyList<string> Versions { get; init; }

    /// <summary>The highest scores.</summary>
    public required IReadOnlyList<StoredResult> Worst { get; init; }

    public required IReadOnlyList<Drift> Drifts { get; init; }
}

/// <summary>Sums up a shift.</summary>
internal sealed class ShiftReports(IResultStore store, Watcher watcher, TimeProvider time)
{
    public const int MostHours = 168;
    private const int MostShown = 6;

    /// <exception cref="ArgumentException">No such span.</exception>
    public async Task<ShiftReport> MakeAsync(string product, DateTimeOffset from, int hours, CancellationToken stop = default)
    {
        if (hours is < 1 or > MostHours || from.Year is < 2000 or > 9000)
        {
            throw new ArgumentException($"Expected 1 to {MostHours} hours from a day after 2000 on, got {hours} from {from:u}.");
        }

        var filter = new ResultFilter { Product = product, From = from, To = from.AddHours(hours) };
        var (total, rejected, foreign, versions, said) = (0, 0, 0, new HashSet<string>(), new Dictionary<FeedbackKind, int>());
        await foreach (var result in store.StreamAsync(filter, ResultOrder.Oldest, stop))
        {
            total++;
            rejected += result.IsAnomalous ? 1 : 0;
            foreign += result.IsForeign ? 1 : 0;
            versions.Add(result.ModelVersion);
            said[result.Feedback] = said.GetValueOrDefault(result.Feedback) + 1;
        }

        return new()
        {
            Product = product,
            From = from,
            To = from.AddHours(hours),
            Total = total,
            Rejected = rejected,
            Foreign = foreign,
            FalseAlarms = said.GetValueOrDefault(FeedbackKind.FalseAlarm),
            Missed = said.GetValueOrDefault(FeedbackKind.Missed),
            Confirmed = said.GetValueOrDefault(FeedbackKind.Confirmed),
            Hours = await store.CountByHourAsync(filter, stop),
            Versions = [.. versions.Order(StringComparer.Ordinal)],
            Worst = (await store.QueryAsync(filter, ResultOrder.WorstFirst, MostShown, null, stop)).Results,
            // Drift is of now: of a shift that is long over it would say nothing.
            Drifts = time.GetUtcNow() is var now && from <= now && now <= from.AddHours(hours + 1)
                ? (await watcher.LookAsync(product, 1, stop)).Drifts : [],
        };
    }
}
