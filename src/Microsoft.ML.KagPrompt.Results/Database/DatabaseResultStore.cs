using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Results.Recording;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>The store on EF Core.</summary>
internal sealed class DatabaseResultStore(ResultDatabase database, TimeProvider time) : IResultStore
{
    private const int MostOnAPage = 1000;
    private const int MostShares = 100;

    public async Task<StoredResult?> FindAsync(Guid id, CancellationToken cancellationToken = default)
    {
        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        var found = await context.Results.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken).ConfigureAwait(false);
        return found?.ToResult();
    }

    public async Task<ResultPage> QueryAsync(ResultFilter filter, ResultOrder order = ResultOrder.Newest, int pageSize = 100,
        string? after = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        if (pageSize is < 1 or > MostOnAPage)
        {
            throw new ArgumentException($"PageSize: expected 1 to {MostOnAPage}, got {pageSize}.", nameof(pageSize));
        }

        PageKey? key = after is null ? null : PageKey.Parse(after, order);
        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        var rows = context.Results.AsNoTracking().Matching(filter);
        // One more tells whether there is a next page.
        var found = await (key is { } last ? rows.After(last) : rows).InOrder(order).Take(pageSize + 1)
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        var next = found.Count > pageSize ? PageKey.From(order, found[pageSize - 1]).ToString() : null;
        return new ResultPage([.. found.Take(pageSize).Select(row => row.ToResult())], next);
    }

    public async IAsyncEnumerable<StoredResult> StreamAsync(ResultFilter filter, ResultOrder order = ResultOrder.Oldest,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (string? after = null; ;)
        {
            // Page by page: a slow reader holds no lock of the database.
            var page = await QueryAsync(filter, order, MostOnAPage, after, cancellationToken).ConfigureAwait(false);
            foreach (var result in page.Results)
            {
                yield return result;
            }

            if ((after = page.Next) is null)
            {
                yield break;
            }
        }
    }

    public async Task<bool> SetFeedbackAsync(Guid id, FeedbackKind kind, string by, CancellationToken cancellationToken = default)
    {
        if (!RecordCheck.IsName(by, RecordCheck.MostOfAName))
        {
            throw new ArgumentException($"By: expected {RecordCheck.Name(RecordCheck.MostOfAName)}.", nameof(by));
        }

        if (!Enum.IsDefined(kind))
        {
            throw new ArgumentException($"Kind: expected one of {string.Join(", ", Enum.GetNames<FeedbackKind>())}, got {kind}.",
                nameof(kind));
        }

        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        var isAnomalous = await context.Results.Where(row => row.Id == id).Select(row => (bool?)row.IsAnomalous)
            .SingleOrDefaultAsync(cancellationToken).ConfigureAwait(false);
        if (isAnomalous is null)
        {
            return false;
        }

        if (kind == (isAnomalous.Value ? FeedbackKind.Missed : FeedbackKind.FalseAlarm))
        {
            throw new ArgumentException($"Kind: {kind} does not fit a part that was {(isAnomalous.Value ? "rejected" : "passed")}.",
                nameof(kind));
        }

        var at = RecordCheck.Microseconds(time.GetUtcNow()).UtcDateTime;
        await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        // The row first: who speaks at the same time waits for it, and the history ends with what the row says.
        var isSaid = kind != FeedbackKind.None;
        var isThere = await context.Results.Where(row => row.Id == id).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.Feedback, kind)
            .SetProperty(row => row.FeedbackBy, isSaid ? by : null)
            .SetProperty(row => row.FeedbackAt, isSaid ? at : (DateTime?)null), cancellationToken).ConfigureAwait(false) > 0;
        if (!isThere)
        {
            // It was removed meanwhile, as too old.
            return false;
        }

        context.Feedback.Add(new FeedbackRow { ResultId = id, Kind = kind, By = by, At = at });
        await context.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    public async Task<IReadOnlyList<FeedbackEntry>> FeedbackHistoryAsync(Guid id, CancellationToken cancellationToken = default)
    {
        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        var rows = await context.Feedback.AsNoTracking().Where(row => row.ResultId == id).OrderBy(row => row.Id)
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        return [.. rows.Select(row => new FeedbackEntry(row.Kind, row.By, row.At))];
    }

    public async Task<IReadOnlyList<HourlyCount>> CountByHourAsync(ResultFilter filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        var hours = await context.Results.Matching(filter)
            .GroupBy(row => new { row.Time.Year, row.Time.Month, row.Time.Day, row.Time.Hour })
            .Select(rows => new
            {
                rows.Key,
                Total = rows.Count(),
                Anomalous = rows.Count(row => row.IsAnomalous),
                Foreign = rows.Count(row => row.IsForeign),
            }).ToListAsync(cancellationToken).ConfigureAwait(false);
        return
        [
            .. hours.Select(hour => new HourlyCount(
                new DateTimeOffset(hour.Key.Year, hour.Key.Month, hour.Key.Day, hour.Key.Hour, 0, 0, TimeSpan.Zero),
                hour.Total, hour.Anomalous, hour.Foreign)).OrderBy(hour => hour.Hour),
        ];
    }

    public async Task<IReadOnlyList<double>> QuantilesAsync(ResultFilter filter, IReadOnlyList<double> shares,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentNullException.ThrowIfNull(shares);
        if (shares.Count > MostShares || shares.Any(share => share is not (>= 0 and <= 1)))
        {
            throw new ArgumentException($"Shares: expected at most {MostShares} numbers from 0 to 1.", nameof(shares));
        }

        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        var scores = context.Results.Matching(filter).OrderBy(row => row.Score).ThenBy(row => row.Id).Select(row => row.Score);
        var count = await scores.CountAsync(cancellationToken).ConfigureAwait(false);
        var quantiles = new List<double>();
        foreach (var share in count == 0 ? [] : shares)
        {
            var place = share * (count - 1);
            var pair = await scores.Skip((int)place).Take(2).ToListAsync(cancellationToken).ConfigureAwait(false);
            quantiles.Add(pair[0] + ((place - Math.Floor(place)) * (pair[^1] - (double)pair[0])));
        }

        return quantiles;
    }
}
