using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Results.Database;

namespace Microsoft.ML.KagPrompt.Results.Retention;

/// <summary>
/// Removes results that are too old, and all that was said of them. Their pictures then have no row, and go as others do.
/// </summary>
internal sealed partial class ResultSweep(
    ResultDatabase database, KagPromptResultsOptions options, ResultClock clock, ILogger<ResultSweep> log)
{
    /// <summary>Most rows of a transaction: who records waits for no more.</summary>
    private const int AtOnce = 1000;

    /// <summary>One pass. Nothing is removed where the database is away.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var now = await clock.NowAsync(cancellationToken).ConfigureAwait(false);
        if (options.RemovedBefore(now) is not { } before)
        {
            return;
        }

        // No result is of before 1970.
        var beforeWithFeedback = options.RemovedWithFeedbackBefore(now) ?? DateTime.UnixEpoch;
        var removed = 0L;
        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        // Rows that stay, of which somebody spoke, are passed once.
        for (PageKey? last = null; ;)
        {
            var started = Stopwatch.GetTimestamp();
            var due = context.Results.AsNoTracking().Where(row => row.Time < before)
                .Where(row => row.Feedback == FeedbackKind.None || row.Time < beforeWithFeedback);
            var found = await (last is { } key ? due.After(key) : due).InOrder(ResultOrder.Oldest).Take(AtOnce)
                .Select(row => new { row.Time, row.Id }).ToListAsync(cancellationToken).ConfigureAwait(false);
            var ids = found.Select(row => row.Id).ToArray();
            // Somebody may have spoken of one since: all is asked again by the statement that removes.
            removed += await due.Where(row => ids.Contains(row.Id)).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
            if (found.Count < AtOnce)
            {
                break;
            }

            last = new PageKey(ResultOrder.Oldest, found[^1].Time, 0, found[^1].Id);
            // Half of the time is that of those who record.
            await Task.Delay(Stopwatch.GetElapsedTime(started), cancellationToken).ConfigureAwait(false);
        }

        if (removed > 0)
        {
            LogSwept(log, removed, before);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} results from before {Before:O} were removed.")]
    private static partial void LogSwept(ILogger log, long count, DateTime before);
}
