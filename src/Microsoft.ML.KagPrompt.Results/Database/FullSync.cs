using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>
/// Has SQLite flush every commit: the journal lets go of what was committed. It is the default of the library that comes along, not of all.
/// </summary>
internal sealed class FullSync : DbConnectionInterceptor
{
    public static FullSync Instance { get; } = new();

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = Command(connection);
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData,
        CancellationToken cancellationToken = default)
    {
        await using var command = Command(connection);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static DbCommand Command(DbConnection connection)
    {
        var command = connection.CreateCommand();
        command.CommandText = "PRAGMA synchronous = FULL;";
        return command;
    }
}
