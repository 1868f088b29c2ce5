using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Results.Database;

namespace Microsoft.ML.KagPrompt.Results;

/// <summary>Where results are kept, and for how long.</summary>
/// <remarks>Read once, when the services are made.</remarks>
public sealed class KagPromptResultsOptions
{
    /// <summary>
    /// The folder of the journal, the pictures and, unless another place is named, the database. Of one process alone; on a local disk.
    /// </summary>
    public string Folder { get; set; } = "";

    /// <summary>The SQLite file; null: results.db in <see cref="Folder"/>. Unused with <see cref="PostgresConnectionString"/>.</summary>
    public string? SqlitePath { get; set; }

    /// <summary>A connection string of Npgsql; null: SQLite.</summary>
    public string? PostgresConnectionString { get; set; }

    /// <summary>Most bytes of results that wait for the database, 1,048,576 or more; further ones are refused.</summary>
    public long MaxJournalBytes { get; set; } = 1L << 30;

    /// <summary>Most results that go into the database in one transaction, 1 to 10,000.</summary>
    public int BatchSize { get; set; } = 256;

    /// <summary>Longest pause between two tries to reach the database, 1 s to 1 h.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Largest picture, in bytes, 1 or more.</summary>
    public int MaxPictureBytes { get; set; } = 64 << 20;

    /// <summary>
    /// Days that results are kept after their <see cref="InspectionRecord.Time"/>, with their pictures and maps, 1 or more; null: no
    /// limit. A machine's clock that was set is not believed at once (<see cref="ResultClock"/>). Those that carry feedback stay until
    /// <see cref="ResultDaysWithFeedback"/>. Older ones are not taken in: one that is recorded
    /// again after it went does not come back. The same in all processes that share a database.
    /// </summary>
    public double? ResultDays { get; set; }

    /// <summary>The same of results that carry feedback, no less than <see cref="ResultDays"/>; null: they stay.</summary>
    public double? ResultDaysWithFeedback { get; set; }

    /// <summary>Days that pictures and maps are kept after they were last recorded, above 0, while rows stay; null: as rows.</summary>
    public double? PictureDays { get; set; }

    /// <summary>Gigabytes (10⁹ bytes) of pictures and maps, above 0; the oldest go first; null: no limit.</summary>
    public double? PictureGigabytes { get; set; }

    /// <summary>Whether pictures go, too, whose results carry feedback.</summary>
    public bool DeletePicturesWithFeedback { get; set; }

    /// <summary>After how long a picture is deleted whose row never came (its process was killed in between), 1 h or more.</summary>
    public TimeSpan OrphanAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How often results and pictures are looked through, 1 min to 7 days.</summary>
    public TimeSpan RetentionInterval { get; set; } = TimeSpan.FromHours(1);

    internal string DatabasePath => SqlitePath ?? Path.Combine(Folder, "results.db");

    internal string ClockPath => Path.Combine(Folder, "clock.json");

    internal string JournalFolder => Path.Combine(Folder, "journal");

    internal string PictureFolder => Path.Combine(Folder, "pictures");

    internal string MapFolder => Path.Combine(Folder, "maps");

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate() => new OptionFaults()
        .Require(!string.IsNullOrWhiteSpace(Folder), nameof(Folder), "a folder", Folder)
        .Require(SqlitePath is null || SqlitePath.Trim().Length > 0, nameof(SqlitePath), "a file, or null", SqlitePath)
        // What was given is not shown: there may be a password in it.
        .Require(PostgresText.FaultOf(PostgresConnectionString) is null, nameof(PostgresConnectionString), PostgresText.Expected,
            PostgresText.FaultOf(PostgresConnectionString))
        .Require(MaxJournalBytes >= 1 << 20, nameof(MaxJournalBytes), "1048576 or more", MaxJournalBytes)
        .Require(BatchSize is >= 1 and <= 10_000, nameof(BatchSize), "1 to 10000", BatchSize)
        .Require(MaxRetryDelay >= TimeSpan.FromSeconds(1) && MaxRetryDelay <= TimeSpan.FromHours(1), nameof(MaxRetryDelay),
            "1 s to 1 h", MaxRetryDelay)
        .Require(MaxPictureBytes >= 1, nameof(MaxPictureBytes), "1 or more", MaxPictureBytes)
        .Require(ResultDays is null or (>= 1 and <= 100_000), nameof(ResultDays), "1 to 100000, or null", ResultDays)
        .Require(ResultDaysWithFeedback is null || (ResultDaysWithFeedback >= ResultDays && ResultDaysWithFeedback <= 100_000),
            nameof(ResultDaysWithFeedback), "ResultDays to 100000, or null, as it is where ResultDays is null", ResultDaysWithFeedback)
        .Require(PictureDays is null or (> 0 and <= 100_000), nameof(PictureDays), "above 0, at most 100000, or null", PictureDays)
        .Require(PictureGigabytes is null or (> 0 and <= 1e9), nameof(PictureGigabytes), "above 0, or null", PictureGigabytes)
        .Require(OrphanAge >= TimeSpan.FromHours(1) && OrphanAge <= TimeSpan.FromDays(3650), nameof(OrphanAge),
            "1 h to 3650 days", OrphanAge)
        .Require(RetentionInterval >= TimeSpan.FromMinutes(1) && RetentionInterval <= TimeSpan.FromDays(7), nameof(RetentionInterval),
            "1 min to 7 days", RetentionInterval)
        .ThrowIfAny(nameof(KagPromptResultsOptions));
}
