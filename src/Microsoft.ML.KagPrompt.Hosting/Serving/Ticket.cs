using System.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>
/// An accepted request: a place in its product's queue and a share in the model it began with. Its caller disposes it, answered or not; a
/// batch that took it keeps the model by a share of its own.
/// </summary>
internal sealed class Ticket(Lane lane, Shared<ServedModel> model) : IDisposable
{
    private readonly Lock sync = new();
    private readonly TaskCompletionSource<Inspection> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PixelBuffer? picture;
    private bool isWaiting = true, isEnded;

    /// <summary>The model it began with.</summary>
    public ServedModel Served { get; } = model.Value;

    /// <summary>When it was queued, as the time provider's timestamp.</summary>
    public long QueuedAt { get; private set; }

    /// <summary>For the batch's activity to refer to.</summary>
    public ActivityContext Activity { get; init; }

    /// <summary>The verdict, or why there is none.</summary>
    public Task<Inspection> Answer => answer.Task;

    /// <summary>Sets what is to be inspected, before it is queued.</summary>
    public void Prepare(PixelBuffer prepared, long now) => (picture, QueuedAt) = (prepared, now);

    public void Succeed(Inspection verdict) => answer.TrySetResult(verdict);

    public void Fail(Exception fault) => answer.TrySetException(fault);

    public void Cancel() => answer.TrySetCanceled();

    /// <summary>Takes it to be inspected, unless its caller left.</summary>
    /// <returns>The picture, and a share in the model, to be disposed when it is inspected.</returns>
    public (PixelBuffer Picture, IDisposable Loan)? TryTake()
    {
        lock (sync)
        {
            if (isEnded || answer.Task.IsCompleted)
            {
                return null;
            }

            var loan = model.Borrow();
            LeaveQueue();
            return (picture!, loan);
        }
    }

    public void Dispose()
    {
        lock (sync)
        {
            if (isEnded)
            {
                return;
            }

            isEnded = true;
            // It may stay in the queue until its turn comes, and is to hold nothing there.
            picture = null;
            LeaveQueue();
        }

        model.Release();
        lane.Leave();
    }

    private void LeaveQueue()
    {
        if (isWaiting)
        {
            isWaiting = false;
            lane.StopWaiting();
        }
    }
}
