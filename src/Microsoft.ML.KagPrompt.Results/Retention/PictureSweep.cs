using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Results.Database;
using Microsoft.ML.KagPrompt.Results.Files;
using Microsoft.ML.KagPrompt.Results.Journal;

namespace Microsoft.ML.KagPrompt.Results.Retention;

/// <summary>
/// Deletes pictures and maps that are too old, too many, of results that never came or were removed. However many there are, a bounded
/// number is in memory.
/// </summary>
internal sealed partial class PictureSweep(
    ResultPictures pictures, ResultDatabase database, ResultJournal journal, KagPromptResultsOptions options, ResultClock clock,
    TimeProvider time, ILogger<PictureSweep> log)
{
    private const int AtOnce = 200;

    /// <summary>Times that are further ahead of the clock than this are of a clock that was wrong.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(1);

    // A file that once had a row has it still, unless rows are removed: only what became old enough since is asked about.
    private DateTime askedUpTo = DateTime.MinValue;

    /// <summary>Most files that are put in order at a time; the folders are listed once for each so many that are too many.</summary>
    public int MostInOrder { get; set; } = 10_000;

    /// <summary>One pass. Nothing is deleted where the database is away.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var now = await clock.NowAsync(cancellationToken).ConfigureAwait(false);
        // Where days are counted by an earlier time than the clock shows, what was recorded by the clock is not ahead of it.
        var ahead = time.GetUtcNow().UtcDateTime + Ahead;
        var orphanedBefore = OrphanedBefore(now);
        var oldBefore = options.PictureDays is { } days ? now.AddDays(-days) : DateTime.MinValue;
        var removedBefore = options.RemovedBefore(now) ?? DateTime.MinValue;

        // Older than any row: of another database, or of one that was emptied. They are nobody's to delete as orphans, unless rows are
        // removed at their age.
        DateTime first;
        await using (var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false))
        {
            first = await context.Results.MinAsync(row => (DateTime?)row.Time, cancellationToken).ConfigureAwait(false)
                ?? DateTime.MaxValue;
        }

        var (deleted, freed, bytes) = (0, 0L, 0L);
        await SweepAsync(Counted().Where(file => file.Recorded < oldBefore || file.Recorded < removedBefore
            || (file.Recorded < orphanedBefore && file.Recorded >= askedUpTo)), file => file.Recorded < oldBefore).ConfigureAwait(false);
        var room = options.PictureGigabytes * 1e9 ?? double.PositiveInfinity;
        for (ContentFile? last = null; bytes - freed > room;)
        {
            var oldestFiles = OldestAfter(last, ahead);
            if (oldestFiles.Count == 0)
            {
                break;
            }

            await SweepAsync(oldestFiles.TakeWhile(_ => bytes - freed > room), _ => bytes - freed > room).ConfigureAwait(false);
            last = oldestFiles[^1];
        }

        askedUpTo = orphanedBefore;
        pictures.Pictures.DeleteUnfinished(orphanedBefore);
        pictures.Maps.DeleteUnfinished(orphanedBefore);
        if (deleted > 0)
        {
            LogSwept(log, deleted, freed);
        }

        IEnumerable<ContentFile> Counted()
        {
            foreach (var file in All())
            {
                bytes += file.Length;
                yield return file;
            }
        }

        async Task SweepAsync(IEnumerable<ContentFile> candidates, Func<ContentFile, bool> isDue)
        {
            foreach (var some in candidates.Chunk(AtOnce))
            {
                await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
                var rows = await FeedbackOnAsync(context, some, cancellationToken).ConfigureAwait(false);
                var going = some.Where(file => Goes(file, rows)).ToArray();
                if (going.Length == 0)
                {
                    continue;
                }

                // Somebody may have spoken of one since: it is asked again, and whoever speaks now waits until the files are gone.
                await using var held = await context.HoldFeedbackAsync([.. going.Select(file => file.Hash)], cancellationToken)
                    .ConfigureAwait(false);
                rows = await FeedbackOnAsync(context, going, cancellationToken).ConfigureAwait(false);
                foreach (var file in going.Where(file => Goes(file, rows) && file.Files.Delete(file)))
                {
                    (deleted, freed) = (deleted + 1, freed + file.Length);
                }
            }

            bool Goes(ContentFile file, Dictionary<ContentFile, bool> rows) => rows.TryGetValue(file, out var hasFeedback)
                ? isDue(file) && (!hasFeedback || options.DeletePicturesWithFeedback)
                : file.Recorded < orphanedBefore && (file.Recorded >= first || file.Recorded < removedBefore || isDue(file));
        }
    }

    /// <summary>
    /// What waits in the journal has no row yet: files that are not older than that are nobody's orphans. When that was nobody knows where
    /// the journal was begun by a clock that was ahead.
    /// </summary>
    private DateTime OrphanedBefore(DateTime now) => journal.OldestPending?.UtcDateTime switch
    {
        { } oldest when oldest > now + Ahead => DateTime.MinValue,
        { } oldest when oldest < now => oldest - options.OrphanAge,
        _ => now - options.OrphanAge,
    };

    private IEnumerable<ContentFile> All() => pictures.Pictures.List().Concat(pictures.Maps.List());

    /// <summary>Of the files after one, those that were recorded first, in their order.</summary>
    private List<ContentFile> OldestAfter(ContentFile? last, DateTime ahead)
    {
        var order = Comparer<ContentFile>.Create((one, other) => KeyOf(one, ahead).CompareTo(KeyOf(other, ahead)));
        // The youngest comes out first, and makes room for an older one.
        var kept = new PriorityQueue<ContentFile, ContentFile>(Comparer<ContentFile>.Create((one, other) => order.Compare(other, one)));
        foreach (var file in All())
        {
            if (last is not null && order.Compare(file, last) <= 0)
            {
                continue;
            }

            if (kept.Count < MostInOrder)
            {
                kept.Enqueue(file, file);
            }
            else
            {
                kept.EnqueueDequeue(file, file);
            }
        }

        return [.. kept.UnorderedItems.Select(item => item.Element).Order(order)];
    }

    /// <summary>
    /// Files of one time stand in a fixed order, too. Those from the future come first: they were recorded before now, and would else
    /// outlive all that is recorded until then.
    /// </summary>
    private (bool IsPast, DateTime Recorded, bool IsMap, string Hash) KeyOf(ContentFile file, DateTime ahead)
        => (file.Recorded <= ahead, file.Recorded, file.Files == pictures.Maps, file.Hash);

    /// <summary>Of files with a row: whether any row of theirs carries feedback.</summary>
    private async Task<Dictionary<ContentFile, bool>> FeedbackOnAsync(
        ResultsContext context, ContentFile[] files, CancellationToken cancellationToken)
    {
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
