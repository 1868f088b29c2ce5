using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Results.Database;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Database;

[Collection(PostgresCollection.Name)]
public sealed class MigrationTests(PostgresServer server) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Fact]
    public void Model_HasNoChangeThatAMigrationLacks()
    {
        using var sqlite = new SqliteResultsContext(SqliteResultsContext.OptionsFor(folder.In("any.db")));
        using var postgres = new PostgresResultsContext(PostgresResultsContext.OptionsFor("Host=nowhere"));
        sqlite.Database.HasPendingModelChanges().Should().BeFalse();
        postgres.Database.HasPendingModelChanges().Should().BeFalse();
        sqlite.Database.GetMigrations().Select(Name).Should().NotBeEmpty().And.Equal(postgres.Database.GetMigrations().Select(Name));

        static string Name(string migration) => migration[(migration.IndexOf('_', StringComparison.Ordinal) + 1)..];
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_SeveralProcessesAtOnce_AllFindTheirTables(bool onPostgres)
    {
        var database = onPostgres ? server.NewDatabase() : null;
        // A folder for each, one database for all.
        var processes = Enumerable.Range(0, 4).Select(i =>
            ResultsProcess.Start("migrate", folder.In($"{i}"), database ?? folder.In("shared", "results.db"))).ToArray();
        foreach (var process in processes)
        {
            var said = await process.Error;
            await process.Process.WaitForExitAsync();
            process.Process.ExitCode.Should().Be(0, said);
            process.Process.Dispose();
        }
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_DatabaseOfANewerVersion_StopsWithAWord(bool onPostgres)
    {
        var database = onPostgres ? server.NewDatabase() : null;
        await using (var host = await ResultsHost.StartAsync(folder.Path, database))
        {
            await using var context = await host.Database.OpenAsync(default);
            await context.Database.ExecuteSqlRawAsync(
                "INSERT INTO \"__EFMigrationsHistory\" (\"MigrationId\", \"ProductVersion\") VALUES ('29990101000000_Later', '99.0.0')");
        }

        await FluentActions.Awaiting(() => ResultsHost.StartAsync(folder.Path, database)).Should().ThrowAsync<ResultStoreException>()
            .WithMessage("*newer version*29990101000000_Later*_Initial*");
    }

    [Fact]
    public async Task Start_AfterAProcessWasKilledWhileItMigrated_GoesOn()
    {
        await using (var host = await ResultsHost.StartAsync(folder.Path))
        {
            await using var context = await host.Database.OpenAsync(default);
            // What EF Core leaves behind, by which every later start would wait for ever.
            await context.Database.ExecuteSqlRawAsync("""
                DELETE FROM "__EFMigrationsHistory"; DROP TABLE feedback; DROP TABLE results;
                CREATE TABLE IF NOT EXISTS "__EFMigrationsLock" ("Id" INTEGER NOT NULL CONSTRAINT "PK___EFMigrationsLock" PRIMARY KEY, "Timestamp" TEXT NOT NULL);
                INSERT INTO "__EFMigrationsLock" VALUES (1, '2026-01-01');
                """);
        }

        await using var again = await ResultsHost.StartAsync(folder.Path);
        await again.StoreAsync(ResultsHost.Record());
    }

    public void Dispose() => folder.Dispose();
}
