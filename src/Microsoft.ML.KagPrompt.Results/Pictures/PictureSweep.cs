using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Results.Database;
using Microsoft.ML.KagPrompt.Results.Files;
using Microsoft.ML.KagPrompt.Results.Journal;

namespace Microsoft.ML.KagPrompt.Results.Pictures;

/// <summary>Deletes pictures and maps that are too old, too many, or of results that never came.</summary>
internal sealed partial class PictureSweep(
    ResultPictures pictures, ResultDatabase database, ResultJournal journal, KagPromptResultsOptions options, TimeProvider time,
    ILogger<PictureSweep> log)
{
    private const int AtOnce = 200;

    // A file that once had a row has it still: only what became old enough since is asked about.
    private DateTime askedUpTo = DateTime.MinValue;

    /// <summary>One pass. Nothing is deleted where the database is away.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        // What waits in the journal has no row yet: files that are not older than that are nobody's orphans.
        var orphanedBefore = ((journal.OldestPending is { } oldest && oldest < now ? oldest : now) - options.OrphanAge).UtcDateTime;
        var oldBefore = options.PictureDays is { } days ? now.UtcDateTime.AddDays(-days) : DateTime.MinValue;
        var files = pictures.Pictures.List().Concat(pictures.Maps.List()).OrderBy(file => file.Recorded).ToList();
        var bytes = files.Sum(file => file.Length);
        var room = options.PictureGigabytes * 1e9 ?? double.PositiveInfinity;

        // Older than any row: of another database, or of one that was emptied. They are nobody's to delete as orphans.
        DateTime first;
        await using (var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false))
        {
            first = await context.Results.MinAsync(row => (DateTime?)row.Time, cancellationToken).ConfigureAwait(false)
                ?? DateTime.MaxValue;
        }

        var (deleted, freed) = (0, 0L);
        var gone = new HashSet<ContentFile>();
        await SweepAsync(files.Where(file => file.Recorded < oldBefore || (file.Recorded < orphanedBefore && file.Recorded >= askedUpTo)),
            file => file.Recorded < oldBefore).ConfigureAwait(false);
        await SweepAsync(files.Where(file => bytes > room && !gone.Contains(file)), _ => bytes > room).ConfigureAwait(false);
        askedUpTo = orphanedBefore;
        pictures.Pictures.DeleteUnfinished(orphanedBefore);
        pictures.Maps.DeleteUnfinished(orphanedBefore);
        if (deleted > 0)
        {
            LogSwept(log, deleted, freed);
        }

        async Task SweepAsync(IEnumerable<ContentFile> candidates, Func<ContentFile, bool> isDue)
        {
            foreach (var some in candidates.Chunk(AtOnce))
            {
                var rows = await FeedbackOnAsync(some, cancellationToken).ConfigureAwait(false);
                foreach (var file in some)
                {
                    var goes = rows.TryGetValue(file, out var hasFeedback)
                        ? isDue(file) && (!hasFeedback || options.DeletePicturesWithFeedback)
                        : file.Recorded < orphanedBefore && (file.Recorded >= first || isDue(file));
                    if (goes && file.Files.Delete(file))
                    {
                        (deleted, freed, bytes) = (deleted + 1, freed + file.Length, bytes - file.Length);
                        gone.Add(file);
                    }
                }
            }
        }
    }

    /// <summary>Of files with a row: whether any row of theirs carries feedback.</summary>
    private async Task<Dictionary<ContentFile, bool>> FeedbackOnAsync(ContentFile[] files, CancellationToken cancellationToken)
    {
        await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        var hashes = files.Select(file => file.Hash).ToArray();
        var ofPictures = await context.Results.Where(row => hashes.Contains(row.PictureHash))
            .GroupBy(row => row.PictureHash!)
            .Select(rows => new { rows.Key, Said = rows.Max(row => row.Feedback == FeedbackKind.None ? 0 : 1) })
            .ToDictionaryAsync(found => found.Key, found => found.Said > 0, cancellationToken).ConfigureAwait(false);
        var ofMaps = await context.Results.Where(row => hashes.Contains(row.MapHash))
            .GroupBy(row => row.MapHash!)
            .Select(rows => new { rows.Key, Said = rows.Max(row => row.Feedback == FeedbackKind.None ? 0 : 1) })
            .ToDictionaryAsync(found => found.Key, found => found.Said > 0, cancellationToken).ConfigureAwait(false);
        var found = new Dictionary<ContentFile, bool>();
        foreach (var file in files)
        {
            if ((file.Files == pictures.Maps ? ofMaps : ofPictures).TryGetValue(file.Hash, out var hasFeedback))
            {
                found.Add(file, hasFeedback);
            }
        }

        return found;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} pictures and maps were deleted, {Bytes} bytes.")]
    private static partial void LogSwept(ILogger log, int count, long bytes);
}
