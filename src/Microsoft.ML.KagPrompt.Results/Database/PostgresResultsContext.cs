using Microsoft.EntityFrameworkCore;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>The tables in PostgreSQL.</summary>
internal sealed class PostgresResultsContext(DbContextOptions<PostgresResultsContext> options) : ResultsContext(options)
{
    public static DbContextOptions<PostgresResultsContext> OptionsFor(string connectionString)
        => new DbContextOptionsBuilder<PostgresResultsContext>()
            .UseNpgsql(connectionString, npgsql => npgsql.MigrationsAssembly(typeof(PostgresResultsContext).Assembly.GetName().Name))
            .Options;
}
