using System.Data.Common;
using Npgsql;

namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>
/// Looks at a connection string before anyone connects. What was given is never quoted: any part of it may be a password.
/// </summary>
internal static class PostgresText
{
    public const string Expected = "a connection string of Npgsql, as \"Host=...;Username=...;Password=...;Database=...\", or null";

    /// <summary>What is wrong, in words without a value; null: nothing that can be told without connecting.</summary>
    public static string? FaultOf(string? connectionString)
    {
        if (connectionString is null)
        {
            return null;
        }

        if (string.IsNullOrWhiteSpace(connectionString))
        {
            return "an empty one";
        }

        var settings = new DbConnectionStringBuilder();
        try
        {
            settings.ConnectionString = connectionString;
        }
        catch (ArgumentException)
        {
            return "one that is not of the form NAME=VALUE;NAME=VALUE (a value with ';', '=' or quotes is quoted)";
        }

        var place = 0;
        foreach (string name in settings.Keys)
        {
            place++;
            try
            {
                _ = new NpgsqlConnectionStringBuilder { [name] = settings[name] };
            }
            catch (Exception fault) when (fault is ArgumentException or FormatException or OverflowException or InvalidCastException
                or KeyNotFoundException or NotSupportedException)
            {
                return $"one whose setting number {place} has a name that Npgsql does not know, or a value that is none of its";
            }
        }

        return string.IsNullOrWhiteSpace(new NpgsqlConnectionStringBuilder(connectionString).Host) ? "one without a Host" : null;
    }
}
