using System.Data.Common;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Results.Recording;
using Microsoft.ML.KagPrompt.Results.Retention;
using Npgsql;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>Puts entries of the journal into the database, each once however often it comes.</summary>
internal sealed partial class ResultWriter(
    ResultDatabase database, KagPromptResultsOptions options, ResultClock clock, ILogger<ResultWriter> log)
{
    /// <summary>Where entries go that the database will never take, one JSON object a line.</summary>
    public string RejectedPath => Path.Combine(options.Folder, "rejected.jsonl");

    /// <summary>
    /// All of them, or none; those that are there already stay as they are. Left out are those that are too old to be kept: they were
    /// there once and come again, or would go at once.
    /// </summary>
    /// <exception cref="DbException">The database cannot be reached, or refuses for now (also as the cause of another
    /// exception).</exception>
    public async Task WriteAsync(IReadOnlyList<byte[]> entries, CancellationToken cancellationToken)
    {
        var rows = new List<(byte[] Entry, ResultRow Row)>();
        // Written down when all else is done: what fails before comes again, and they with it.
        var refused = new List<(byte[] Entry, Exception Fault)>();
        foreach (var entry in entries)
        {
            try
            {
                rows.Add((entry, ResultRow.From(JournalEntry.Parse(entry))));
            }
            catch (JsonException fault)
            {
                refused.Add((entry, fault));
            }
        }

        var now = await clock.NowAsync(cancellationToken).ConfigureAwait(false);
        var refusedBefore = options.RefusedBefore(now) ?? DateTime.MinValue;
        var old = rows.RemoveAll(each => each.Row.Time < refusedBefore);
        try
        {
            await InsertAsync(rows.Select(each => each.Row), cancellationToken).ConfigureAwait(false);
        }
        catch (DbUpdateException fault) when (IsOfTheData(fault))
        {
            // One bad row must not hold up all that come after it.
            foreach (var (entry, row) in rows)
            {
                try
                {
                    await InsertAsync([row], cancellationToken).ConfigureAwait(false);
                }
                catch (DbUpdateException single) when (IsOfTheData(single))
                {
                    refused.Add((entry, single));
                }
            }
        }

        refused.ForEach(each => Reject(each.Entry, each.Fault));
        if (old > 0)
        {
            LogOld(log, old, refusedBefore);
        }
    }

    private async Task InsertAsync(IEnumerable<ResultRow> rows, CancellationToken cancellationToken)
    {
        var distinct = rows.DistinctBy(row => row.Id).ToArray();
        var ids = distinct.Select(row => row.Id).ToArray();
        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        var there = await context.Results.Where(row => ids.Contains(row.Id)).Select(row => row.Id)
            .ToHashSetAsync(cancellationToken).ConfigureAwait(false);
        context.Results.AddRange(distinct.Where(row => !there.Contains(row.Id)));
        // Of another process that was faster with an id, the key tells; the next try finds it there.
        await context.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
    }

    private void Reject(byte[] entry, Exception fault)
    {
        using (var file = new FileStream(RejectedPath, FileMode.Append, FileAccess.Write))
        {
            file.Write([.. entry, (byte)'\n']);
            file.Flush(flushToDisk: true);
        }

        LogRejected(log, fault, RejectedPath);
    }

    /// <summary>Whether no later try can succeed. A key that is there already is none of these.</summary>
    private static bool IsOfTheData(DbUpdateException fault) => fault.InnerException switch
    {
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } => false,
        PostgresException { SqlState: ['2', '2' or '3', ..] } => true,
        SqliteException { SqliteExtendedErrorCode: 1555 or 2067 } => false,
        // Too big, constraint, mismatch.
        SqliteException { SqliteErrorCode: 18 or 19 or 20 } => true,
        _ => false,
    };

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The database will not take a result; it is kept in '{Path}' for a person to look at.")]
    private static partial void LogRejected(ILogger log, Exception fault, string path);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Count} results from before {Before:O} were not stored: they are older than results are kept (ResultDays).")]
    private static partial void LogOld(ILogger log, int count, DateTime before);
}
