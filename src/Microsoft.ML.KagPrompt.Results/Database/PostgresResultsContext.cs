using Microsoft.EntityFrameworkCore;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>The tables in PostgreSQL.</summary>
internal sealed class PostgresResultsContext(DbContextOptions<PostgresResultsContext> options) : ResultsContext(options)
{
    /// <summary>Holds the rows.</summary>
    public override async Task<IAsyncDisposable> HoldFeedbackAsync(string[] hashes, CancellationToken cancellationToken)
    {
        var transaction = await Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await Database.ExecuteSqlAsync($"""
            SELECT 1 FROM results WHERE "PictureHash" = ANY({hashes}) OR "MapHash" = ANY({hashes}) FOR SHARE
            """, cancellationToken).ConfigureAwait(false);
        return transaction;
    }

    public static DbContextOptions<PostgresResultsContext> OptionsFor(string connectionString)
        => new DbContextOptionsBuilder<PostgresResultsContext>().UseNpgsql(connectionString).Options;
}
