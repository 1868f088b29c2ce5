using Npgsql;

namespace Microsoft.ML.KagPrompt.Orleans.Postgres;

/// <summary>The tables by which silos find one another and keep lines, in a schema of their own.</summary>
internal static class PlantDatabase
{
    /// <summary>How Orleans calls the driver.</summary>
    public const string Invariant = "Npgsql";

    private const string Schema = "kagprompt_plant";

    // "kagplant" as a number: any program's, but not likely another's.
    private const long AdvisoryLock = 0x6b61_6770_6c61_6e74;

    /// <summary>The same database, seen from that schema: another Orleans in it is not touched.</summary>
    public static string InSchema(string connectionString)
        => new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = Schema }.ConnectionString;

    /// <summary>Makes what is not there; several at once wait for one another.</summary>
    public static async Task PrepareAsync(string connectionString, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(typeof(PlantDatabase).Assembly.GetManifestResourceStream("plant.sql")!);
        var script = await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        await using var connection = new NpgsqlConnection(InSchema(connectionString));
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        // Of the transaction: a process that is killed lets go of it.
        await RunAsync($"SELECT pg_advisory_xact_lock({AdvisoryLock})").ConfigureAwait(false);
        await RunAsync($"CREATE SCHEMA IF NOT EXISTS {Schema}").ConfigureAwait(false);
        await RunAsync(script).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
