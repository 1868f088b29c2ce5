using System.Threading.Channels;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Results.Files;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.KagPrompt.Results.Journal;

/// <summary>Appends to the last segment, one flush for all who wait meanwhile. Owned by a journal.</summary>
internal sealed class JournalWriter : IAsyncDisposable
{
    private readonly Channel<(byte[] Entry, TaskCompletionSource Done, CancellationToken Cancelled)> waiting =
        Channel.CreateUnbounded<(byte[], TaskCompletionSource, CancellationToken)>(new() { SingleReader = true });

    private readonly string folder;
    private readonly long segmentBytes;
    private readonly long maxBytes;
    private readonly TimeProvider time;
    private readonly ResultJournal journal;
    private readonly Task loop;
    private long number;
    private SafeFileHandle? handle;

    public JournalWriter(string folder, long number, long segmentBytes, long maxBytes, TimeProvider time, ResultJournal journal)
    {
        (this.folder, this.number, this.segmentBytes, this.maxBytes, this.time, this.journal) =
            (folder, number, segmentBytes, maxBytes, time, journal);
        loop = Task.Run(RunAsync);
    }

    /// <summary>The segment that is appended to; null: the next entry begins one.</summary>
    public JournalSegment? Active { get; private set; }

    public Task AppendAsync(byte[] entry, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (entry.Length is 0 or > JournalFrame.MostBytes)
        {
            throw new ArgumentException($"Entry: expected 1 to {JournalFrame.MostBytes} bytes, got {entry.Length}.", nameof(entry));
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return waiting.Writer.TryWrite((entry, done, cancellationToken)) ? done.Task
            : Task.FromException(new ObjectDisposedException(nameof(ResultRecorder)));
    }

    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await loop.ConfigureAwait(false);
        Leave();
    }

    private async Task RunAsync()
    {
        while (await waiting.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            var (taken, bytes, full) = (new List<(byte[] Entry, TaskCompletionSource Done)>(), 0, journal.Bytes);
            // What is written at once is no longer than a segment: one that is done with, but written to, must leave room for others.
            while (bytes < segmentBytes && waiting.Reader.TryRead(out var next))
            {
                var length = JournalFrame.LengthOf(next.Entry.Length);
                if (next.Cancelled.IsCancellationRequested)
                {
                    next.Done.TrySetCanceled(next.Cancelled);
                }
                else if (full + bytes + length > maxBytes)
                {
                    next.Done.TrySetException(new JournalFullException($"The result was not recorded: {journal.Pending} results wait for "
                        + $"the database, and the journal in '{folder}' has no room (MaxJournalBytes, {maxBytes}). "
                        + "Bring the database back, or give the journal more room."));
                }
                else
                {
                    taken.Add((next.Entry, next.Done));
                    bytes += length;
                }
            }

            if (taken.Count > 0)
            {
                Write(taken, bytes);
            }
        }
    }

    private void Write(List<(byte[] Entry, TaskCompletionSource Done)> taken, int bytes)
    {
        try
        {
            var (buffer, at) = (new byte[bytes], 0);
            foreach (var (entry, _) in taken)
            {
                JournalFrame.Write(buffer.AsSpan(at), entry);
                at += JournalFrame.LengthOf(entry.Length);
            }

            // One whose entries are all stored is left early: it can go, and is not read again at the next start.
            if (Active is null || Active.Committed + bytes > segmentBytes || (Active.IsDone && Active.Committed > segmentBytes / 4))
            {
                Begin();
            }

            RandomAccess.Write(handle!, buffer, Active!.Committed);
            RandomAccess.FlushToDisk(handle!);
            journal.Commit(Active, bytes, taken.Count);
        }
        catch (Exception fault)
        {
            // Nobody knows what of it is on disk: nothing may follow it in this segment. What was acknowledged lies before it.
            Leave();
            taken.ForEach(each => each.Done.TrySetException(fault));
            return;
        }

        taken.ForEach(each => each.Done.TrySetResult());
    }

    private void Begin()
    {
        Leave();
        var created = time.GetUtcNow();
        var path = Path.Combine(folder, JournalSegment.NameOf(++number));
        handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            RandomAccess.Write(handle, JournalSegment.Header(created), 0);
            RandomAccess.FlushToDisk(handle);
            DurableFolder.Flush(folder);
        }
        catch
        {
            // On a full disk there would be one for each try.
            File.Delete(path);
            throw;
        }

        Active = new JournalSegment(path, created, JournalSegment.HeaderLength);
        journal.Begin(Active);
    }

    private void Leave()
    {
        handle?.Dispose();
        (handle, Active) = (null, null);
    }
}
