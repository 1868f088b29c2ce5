using Microsoft.EntityFrameworkCore.Design;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>What dotnet-ef makes migrations for SQLite by; no database is opened.</summary>
internal sealed class SqliteDesignTimeFactory : IDesignTimeDbContextFactory<SqliteResultsContext>
{
    public SqliteResultsContext CreateDbContext(string[] args) => new(SqliteResultsContext.OptionsFor("design.db"));
}

/// <summary>What dotnet-ef makes migrations for PostgreSQL by; no server is asked.</summary>
internal sealed class PostgresDesignTimeFactory : IDesignTimeDbContextFactory<PostgresResultsContext>
{
    public PostgresResultsContext CreateDbContext(string[] args) => new(PostgresResultsContext.OptionsFor("Host=design"));
}
