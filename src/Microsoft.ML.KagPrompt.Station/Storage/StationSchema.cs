using Microsoft.EntityFrameworkCore;

namespace Microsoft.ML.KagPrompt.Station.Storage;

/// <summary>Makes the database at first start, and refuses one that another version made.</summary>
internal static class StationSchema
{
    private const int Version = 1;

    public static async Task PrepareAsync(StationDb db, CancellationToken stop)
    {
        if (await db.Database.EnsureCreatedAsync(stop))
        {
            // What was done stays told, whoever asks for something else.
            await db.Database.ExecuteSqlRawAsync("""
                PRAGMA journal_mode = WAL;
                CREATE TRIGGER AuditNoUpdate BEFORE UPDATE ON Audit BEGIN SELECT RAISE(ABORT, 'the audit table is append only'); END;
                CREATE TRIGGER AuditNoDelete BEFORE DELETE ON Audit BEGIN SELECT RAISE(ABORT, 'the audit table is append only'); END;
                """, stop);
            // Last: a process killed before leaves a file that is told to be unfinished.
            await db.Database.ExecuteSqlRawAsync($"PRAGMA user_version = {Version}", stop);
            return;
        }

        var found = await db.Database.SqlQueryRaw<int>("SELECT user_version AS Value FROM pragma_user_version").SingleAsync(stop);
        if (found != Version)
        {
            throw new InvalidDataException($"{db.Database.GetDbConnection().DataSource}: expected version {Version} of the station's "
                + $"database, got {found}. 0 is one whose first start was cut off: delete it. A higher one was made by a newer station: "
                + "start that.");
        }
    }
}
