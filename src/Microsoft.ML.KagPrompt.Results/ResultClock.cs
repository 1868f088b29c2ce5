using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Results.Database;
using Microsoft.ML.KagPrompt.Results.Retention;

namespace Microsoft.ML.KagPrompt.Results;

/// <summary>
/// The clock by which results and pictures grow old. It is the machine's, but one that was set to another time is not believed at once:
/// what would be removed by it is gone when it is set right.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public sealed partial class ResultClock
{
    private readonly KagPromptResultsOptions options;
    private readonly ResultDatabase database;
    private readonly TimeProvider time;
    private readonly ILogger<ResultClock> log;
    private readonly Lock gate = new();
    private ClockNote? note;
    private long? looked;
    private bool isSettled;

    internal ResultClock(KagPromptResultsOptions options, ResultDatabase database, TimeProvider time, ILogger<ResultClock> log)
        => (this.options, this.database, this.time, this.log) = (options, database, time, log);

    /// <summary>Why the machine's clock is not believed for now; null: it is, or nothing was asked of it yet.</summary>
    public ClockDoubt? Doubt
    {
        get
        {
            lock (gate)
            {
                return note is null ? null : Look().Doubt;
            }
        }
    }

    /// <summary>The time by which ages are counted.</summary>
    /// <exception cref="System.Data.Common.DbException">The database is away, and nothing else tells what time it was last.</exception>
    internal async Task<DateTime> NowAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref note) is null)
        {
            var first = Read() ?? await NewestAsync(cancellationToken).ConfigureAwait(false);
            lock (gate)
            {
                note ??= first;
            }
        }

        lock (gate)
        {
            return Look().Now.UtcDateTime;
        }
    }

    /// <summary>Keeps what is known of the time for the next start.</summary>
    internal void Keep()
    {
        ClockNote kept;
        lock (gate)
        {
            if (note is null)
            {
                return;
            }

            kept = Look();
        }

        try
        {
            WholeFile.Write(options.ClockPath, JsonSerializer.SerializeToUtf8Bytes(kept, ClockJson.Default.ClockNote));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // A full disk must not keep pictures from being removed.
            LogNotKept(log, fault, options.ClockPath);
        }
    }

    private ClockNote Look()
    {
        var passed = looked is { } before ? time.GetElapsedTime(before) : (TimeSpan?)null;
        looked = time.GetTimestamp();
        note = note!.After(time.GetUtcNow(), passed, isSettled);
        // From now on it is known how long the program stood still before.
        isSettled |= note.Shown is null;
        return note;
    }

    private ClockNote? Read()
    {
        try
        {
            var read = JsonSerializer.Deserialize(File.ReadAllBytes(options.ClockPath), ClockJson.Default.ClockNote);
            return read is { IsSound: true } ? read : throw new JsonException("A time is out of range.");
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception fault) when (fault is JsonException or IOException or UnauthorizedAccessException)
        {
            LogNotRead(log, fault, options.ClockPath);
            return null;
        }
    }

    /// <summary>It was no earlier than the newest result says; one from the future says nothing.</summary>
    private async Task<ClockNote> NewestAsync(CancellationToken cancellationToken)
    {
        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        var newest = await context.Results.MaxAsync(row => (DateTime?)row.Time, cancellationToken).ConfigureAwait(false);
        var now = time.GetUtcNow();
        return new(newest is { } last && last < now.UtcDateTime ? new DateTimeOffset(last) : now, null, TimeSpan.Zero);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What time it is could not be kept in '{Path}' for the next start.")]
    private static partial void LogNotKept(ILogger log, Exception fault, string path);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "'{Path}' does not tell what time it was last; the newest result does.")]
    private static partial void LogNotRead(ILogger log, Exception fault, string path);
}
