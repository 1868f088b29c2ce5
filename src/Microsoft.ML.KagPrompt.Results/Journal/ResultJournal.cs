using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Results.Files;

namespace Microsoft.ML.KagPrompt.Results.Journal;

/// <summary>
/// Entries that are on disk before they are acknowledged, and stay there until they are done with: segments of files that are only appended
/// to.
/// </summary>
/// <remarks>
/// Any thread appends; one reads. A segment goes as a whole when all its entries are done, so an entry may come again after a crash.
/// </remarks>
internal sealed class ResultJournal : IAsyncDisposable
{
    private const int MostOfASegment = 4 << 20;

    private readonly Lock gate = new();
    private readonly List<JournalSegment> segments = [];
    private readonly List<(long Target, TaskCompletionSource Reached)> waiters = [];
    private readonly SemaphoreSlim news = new(0, 1);
    private readonly FileStream owner;
    private readonly JournalWriter writer;
    private long appended;
    private long done;

    /// <summary>Takes the folder, and reads what an earlier process left in it.</summary>
    /// <param name="folder">Made where it is not there.</param>
    /// <param name="maxBytes">Most bytes of segments.</param>
    /// <param name="time">Tells when segments were begun.</param>
    /// <param name="log">Told of what was torn or damaged.</param>
    /// <exception cref="ResultStoreException">Another process has the folder, or a segment is of another version.</exception>
    public ResultJournal(string folder, long maxBytes, TimeProvider time, ILogger log)
    {
        DurableFolder.Create(folder);
        owner = FileLock.TryTake(Path.Combine(folder, "lock")) ?? throw new ResultStoreException(
            $"The journal in '{folder}' is in use by another process. Give each process a folder of its own; they may share a PostgreSQL.");
        try
        {
            var last = 0L;
            foreach (var (number, path) in JournalSegment.List(folder))
            {
                last = number;
                if (JournalRecovery.Open(path, log) is var (segment, entries))
                {
                    segments.Add(segment);
                    appended += entries;
                }
            }

            DurableFolder.Flush(folder);
            writer = new JournalWriter(folder, last, Math.Clamp(maxBytes / 8, 1 << 16, MostOfASegment), maxBytes, time, this);
        }
        catch
        {
            owner.Dispose();
            throw;
        }

        if (appended > 0)
        {
            news.Release();
        }
    }

    /// <summary>Entries that are not done.</summary>
    public long Pending
    {
        get
        {
            lock (gate)
            {
                return appended - done;
            }
        }
    }

    /// <summary>Bytes of all segments.</summary>
    public long Bytes
    {
        get
        {
            lock (gate)
            {
                return segments.Sum(segment => segment.Committed);
            }
        }
    }

    /// <summary>No entry that is not done is older; null: all are done.</summary>
    public DateTimeOffset? OldestPending
    {
        get
        {
            lock (gate)
            {
                return segments.Find(segment => !segment.IsDone)?.Created;
            }
        }
    }

    /// <summary>Ends when the entry is on disk.</summary>
    /// <exception cref="JournalFullException">There is no room.</exception>
    /// <exception cref="IOException">The disk refused; the entry is not acknowledged.</exception>
    public Task AppendAsync(byte[] entry, CancellationToken cancellationToken) => writer.AppendAsync(entry, cancellationToken);

    /// <summary>Waits for entries, and reads the first ones that are not done.</summary>
    /// <param name="most">Most entries.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<JournalBatch> ReadAsync(int most, CancellationToken cancellationToken)
    {
        while (true)
        {
            JournalSegment? segment;
            var (from, to) = (0L, 0L);
            lock (gate)
            {
                segment = segments.Find(candidate => !candidate.IsDone);
                (from, to) = (segment?.Done ?? 0, segment?.Committed ?? 0);
            }

            if (segment is not null)
            {
                return JournalBatch.Read(segment, from, to, most);
            }

            await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The batch is where it belongs.</summary>
    public void Complete(JournalBatch batch)
    {
        lock (gate)
        {
            batch.Segment.Done = batch.End;
            done += batch.Entries.Count;
            DeleteDone();
            waiters.RemoveAll(waiter => waiter.Target <= done && waiter.Reached.TrySetResult());
        }
    }

    /// <summary>How many calls of <see cref="WhenDoneAsync"/> wait.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
            {
                return waiters.Count;
            }
        }
    }

    /// <summary>Ends when everything that was acknowledged before the call is done.</summary>
    public async Task WhenDoneAsync(CancellationToken cancellationToken)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (done >= appended)
            {
                return;
            }

            waiters.Add((appended, reached));
        }

        try
        {
            await reached.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // A database may be away for days, and callers give up every few seconds.
            lock (gate)
            {
                waiters.RemoveAll(waiter => waiter.Reached == reached);
            }

            throw;
        }
    }

    /// <summary>Writes what was begun, and lets go of the folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync().ConfigureAwait(false);
        lock (gate)
        {
            // The writer has no segment any more.
            DeleteDone();
            waiters.ForEach(waiter => waiter.Reached.TrySetException(new ObjectDisposedException(nameof(ResultRecorder))));
            waiters.Clear();
        }

        await owner.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Of the writer: a new segment, which takes the place of the one before.</summary>
    internal void Begin(JournalSegment segment)
    {
        lock (gate)
        {
            segments.Add(segment);
            DeleteDone();
        }
    }

    /// <summary>Of the writer: so many more bytes and entries are on disk.</summary>
    internal void Commit(JournalSegment segment, int bytes, int entries)
    {
        lock (gate)
        {
            segment.Committed += bytes;
            appended += entries;
            if (news.CurrentCount == 0)
            {
                news.Release();
            }
        }
    }

    private void DeleteDone()
    {
        foreach (var segment in segments.Where(segment => segment.IsDone && segment != writer.Active).ToArray())
        {
            // Names that come back after a power failure bring entries that are stored already.
            try
            {
                File.Delete(segment.Path);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Held open by someone else: when the next one goes.
                continue;
            }

            segments.Remove(segment);
        }
    }
}
