using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.ML.KagPrompt.Hosting.Telemetry;

namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>Takes what is queued for a model in batches, and has them inspected.</summary>
internal sealed class BatchLoop(string product, ServedModel served, ChannelReader<Ticket> queue, KagPromptHostingOptions options,
    HostingMetrics metrics, TimeProvider time, CancellationToken abort)
{
    // How much the last batch counts in the time that an image takes.
    private const double NewestShare = 0.2;

    private readonly SemaphoreSlim places = new(served.Model.ConcurrentBatches);
    private double secondsAnImage;

    /// <summary>Why the last batch failed, where no image was at fault; null: it did not.</summary>
    public string? Fault { get; private set; }

    /// <summary>How long so many images will take; null: none was inspected yet.</summary>
    public TimeSpan? TimeOf(int images)
        => Volatile.Read(ref secondsAnImage) is > 0 and var seconds ? TimeSpan.FromSeconds(Math.Min(seconds * images, 3600)) : null;

    /// <summary>Ends when the queue is completed and the last batch is done. Never fails.</summary>
    public async Task RunAsync()
    {
        using var _ = places;
        var running = new List<Task>();
        while (await queue.WaitToReadAsync().ConfigureAwait(false))
        {
            if (!queue.TryRead(out var first) || first.Answer.IsCompleted)
            {
                continue;
            }

            // Before the batch is filled: what comes until the model is free still gets in.
            await places.WaitAsync().ConfigureAwait(false);
            var batch = await FillAsync(first).ConfigureAwait(false);
            running.RemoveAll(task => task.IsCompleted);
            running.Add(InspectAsync(batch));
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private async Task<List<Ticket>> FillAsync(Ticket first)
    {
        var batch = new List<Ticket> { first };
        while (batch.Count < options.MaxBatchSize)
        {
            if (queue.TryRead(out var next))
            {
                batch.Add(next);
                continue;
            }

            var left = options.MaxBatchDelay - time.GetElapsedTime(first.QueuedAt);
            if (left <= TimeSpan.Zero)
            {
                break;
            }

            using var timer = new CancellationTokenSource(left, time);
            var more = queue.WaitToReadAsync(timer.Token).AsTask();
            await ((Task)more).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!more.IsCompletedSuccessfully || !more.Result)
            {
                break;
            }
        }

        return batch;
    }

    /// <summary>Answers every ticket of a batch; gives its place back.</summary>
    private async Task InspectAsync(List<Ticket> batch)
    {
        // A model may compute before it returns a task: the loop is to go on.
        await Task.Yield();
        var taken = new List<(Ticket Ticket, PixelBuffer Picture, IDisposable Loan)>(batch.Count);
        try
        {
            foreach (var ticket in batch)
            {
                if (ticket.TryTake() is var (picture, loan))
                {
                    taken.Add((ticket, picture, loan));
                    metrics.Waited(product, time.GetElapsedTime(ticket.QueuedAt));
                }
            }

            if (taken.Count > 0)
            {
                await InspectAsync(taken).ConfigureAwait(false);
            }
        }
        catch (Exception fault)
        {
            // Of a listener to metrics or activities: who waits must not hang.
            batch.ForEach(ticket => ticket.Fail(fault));
        }
        finally
        {
            taken.ForEach(one => one.Loan.Dispose());
            places.Release();
        }
    }

    private async Task InspectAsync(List<(Ticket Ticket, PixelBuffer Picture, IDisposable Loan)> taken)
    {
        using var activity = HostingActivities.StartBatch(product, served.Version, taken.Select(one => one.Ticket.Activity));
        var started = time.GetTimestamp();
        var fault = await AnswerAsync(taken).ConfigureAwait(false);
        if (fault is not null && taken.Count > 1 && fault is not OperationCanceledException)
        {
            // One may be at fault: each gets its own verdict or its own error.
            var faults = new List<Exception?>();
            foreach (var one in taken.Where(one => !one.Ticket.Answer.IsCompleted))
            {
                faults.Add(await AnswerAsync([one]).ConfigureAwait(false) is { } own ? Failed(one.Ticket, own) : null);
            }

            fault = faults.Count > 0 && faults.TrueForAll(own => own is not null) ? faults[0] : null;
        }
        else if (fault is not null)
        {
            taken.ForEach(one => Failed(one.Ticket, fault));
        }

        var elapsed = time.GetElapsedTime(started);
        Fault = fault is null or ImageReadException or OperationCanceledException ? null : fault.Message;
        var before = secondsAnImage;
        var now = elapsed.TotalSeconds / (taken.Count * served.Model.ConcurrentBatches);
        Volatile.Write(ref secondsAnImage, before == 0 ? now : before + (NewestShare * (now - before)));
        metrics.Inspected(product, taken.Count, elapsed, isFailed: Fault is not null);
        activity?.SetStatus(Fault is null ? ActivityStatusCode.Ok : ActivityStatusCode.Error, Fault);
    }

    /// <summary>Inspects together. Returns why there are no verdicts; null: there are.</summary>
    private async Task<Exception?> AnswerAsync(List<(Ticket Ticket, PixelBuffer Picture, IDisposable Loan)> few)
    {
        try
        {
            var verdicts = await served.Model.InspectAsync([.. few.Select(one => one.Picture)], abort).ConfigureAwait(false);
            if (verdicts.Count != few.Count)
            {
                return new InvalidOperationException($"The model of '{product}': expected {few.Count} verdicts, got {verdicts.Count}.");
            }

            for (var i = 0; i < few.Count; i++)
            {
                few[i].Ticket.Succeed(verdicts[i] with { ModelVersion = served.Version });
            }

            return null;
        }
        catch (Exception fault)
        {
            return fault;
        }
    }

    private static Exception Failed(Ticket ticket, Exception fault)
    {
        ticket.Fail(fault);
        return fault;
    }
}
