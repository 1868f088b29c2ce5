using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Results.Files;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>Makes contexts, and brings the database to this version's tables before the first one is used.</summary>
/// <remarks>Thread-safe. A context is of one thread.</remarks>
internal sealed class ResultDatabase : IDisposable
{
    // "kagprompt" as a number: any program's, but not likely another's.
    private const long AdvisoryLock = 0x6b61_6770_726f_6d70;

    private readonly Lock gate = new();
    private readonly CancellationTokenSource over = new();
    private readonly KagPromptResultsOptions options;
    private readonly TimeProvider time;
    private readonly Func<ResultsContext> make;
    private Task? preparing;

    public ResultDatabase(KagPromptResultsOptions options, TimeProvider time)
    {
        (this.options, this.time) = (options, time);
        if (options.PostgresConnectionString is { } connection)
        {
            var postgres = PostgresResultsContext.OptionsFor(connection);
            make = () => new PostgresResultsContext(postgres);
        }
        else
        {
            var sqlite = SqliteResultsContext.OptionsFor(options.DatabasePath);
            make = () => new SqliteResultsContext(sqlite);
        }
    }

    /// <summary>A context on tables that are there. The caller owns it.</summary>
    /// <exception cref="ResultStoreException">The database is of a newer version.</exception>
    public async Task<ResultsContext> OpenAsync(CancellationToken cancellationToken)
    {
        Task ready;
        lock (gate)
        {
            // All who come meanwhile wait for one attempt: one after another they would each wait for the server's silence.
            if (preparing is null or { IsCompleted: true, IsCompletedSuccessfully: false })
            {
                preparing = Task.Run(() => PrepareAsync(over.Token), over.Token);
            }

            ready = preparing;
        }

        await ready.WaitAsync(cancellationToken).ConfigureAwait(false);
        return make();
    }

    /// <summary>Breaks off an attempt that is under way.</summary>
    public void Dispose()
    {
        over.Cancel();
        over.Dispose();
    }

    private Task PrepareAsync(CancellationToken cancellationToken)
        => options.PostgresConnectionString is null ? PrepareSqliteAsync(cancellationToken) : PreparePostgresAsync(cancellationToken);

    private async Task PrepareSqliteAsync(CancellationToken cancellationToken)
    {
        DurableFolder.Create(Path.GetDirectoryName(Path.GetFullPath(options.DatabasePath))!);
        await using var held = await FileLock.TakeAsync(options.DatabasePath + ".lock", time, cancellationToken).ConfigureAwait(false);
        await using var context = make();
        if (File.Exists(options.DatabasePath))
        {
            // EF Core's own lock is a row, and stays where a process was killed while it migrated. We hold one that does not.
            await context.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancellationToken)
                .ConfigureAwait(false);
        }

        await MigrateAsync(context, cancellationToken).ConfigureAwait(false);
        // Reading goes on while something is written.
        await context.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken).ConfigureAwait(false);
    }

    private async Task PreparePostgresAsync(CancellationToken cancellationToken)
    {
        await using var context = make();
        await context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        // Of the session: the server lets go of it when the process is gone.
        await context.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock({AdvisoryLock})", cancellationToken).ConfigureAwait(false);
        try
        {
            await MigrateAsync(context, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await context.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({AdvisoryLock})", CancellationToken.None)
                .ConfigureAwait(false);
        }
    }

    private static async Task MigrateAsync(ResultsContext context, CancellationToken cancellationToken)
    {
        var applied = await context.Database.GetAppliedMigrationsAsync(cancellationToken).ConfigureAwait(false);
        var known = context.Database.GetMigrations().ToArray();
        if (applied.Except(known).FirstOrDefault() is { } newer)
        {
            throw new ResultStoreException($"The database of results is of a newer version of Microsoft.ML.KagPrompt.Results: it has the "
                + $"change '{newer}', and this version knows only those up to '{known[^1]}'. Use that version, or another database.");
        }

        await context.Database.MigrateAsync(cancellationToken).ConfigureAwait(false);
    }
}
