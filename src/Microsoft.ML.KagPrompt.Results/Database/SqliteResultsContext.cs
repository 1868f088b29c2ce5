using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>The tables in SQLite.</summary>
internal sealed class SqliteResultsContext(DbContextOptions<SqliteResultsContext> options) : ResultsContext(options)
{
    /// <summary>Seconds that a locked file is waited for; then the journal's own retries begin.</summary>
    private const int SecondsToWait = 5;

    /// <summary>One writes at a time: a transaction that may write holds up all that would.</summary>
    public override async Task<IAsyncDisposable> HoldFeedbackAsync(string[] hashes, CancellationToken cancellationToken)
        => await Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);

    public static DbContextOptions<SqliteResultsContext> OptionsFor(string path) => new DbContextOptionsBuilder<SqliteResultsContext>()
        .UseSqlite(new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = SecondsToWait }.ToString())
        .AddInterceptors(FullSync.Instance)
        .Options;
}
