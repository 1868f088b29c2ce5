using System.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>The way into one product: who may come in, and which model they get.</summary>
/// <remarks>Thread-safe. Owns a share in the model that serves new requests.</remarks>
internal sealed class Lane(string product, ServedModel first, int capacity)
{
    private readonly Lock sync = new();
    private readonly TaskCompletionSource empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> models = [first.Ended];
    private Shared<ServedModel>? current = new(first);
    private RefusalReason? closedBy;
    private int waiting, accepted;

    public string Product => product;

    /// <summary>Requests that were accepted and are not being inspected yet.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    /// <summary>The version that new requests get, and what its last batch failed by; nulls: the lane is closed.</summary>
    public (string? Version, string? ScoringFault) State
    {
        get
        {
            lock (sync)
            {
                return current is null ? default : (current.Value.Version, current.Value.ScoringFault);
            }
        }
    }

    /// <summary>Ends when the lane is closed, all that was accepted is answered, and its models are disposed.</summary>
    public async Task EndedAsync()
    {
        await empty.Task.ConfigureAwait(false);
        await Task.WhenAll(models).ConfigureAwait(false);
    }

    /// <summary>Accepts a request. The caller disposes the ticket.</summary>
    /// <exception cref="InspectionRefusedException">It is refused.</exception>
    public Ticket Enter()
    {
        lock (sync)
        {
            if (closedBy is { } reason)
            {
                throw reason == RefusalReason.Stopping ? Refusals.Stopping() : Refusals.ProductUnknown(product);
            }

            if (Waiting >= capacity)
            {
                throw Refusals.QueueFull(product, capacity, current!.Value.TimeOf(capacity));
            }

            Interlocked.Increment(ref waiting);
            accepted++;
            return new(this, current!.Acquire()) { Activity = Activity.Current?.Context ?? default };
        }
    }

    /// <summary>Gives new requests another model, whose ownership it takes over.</summary>
    /// <returns>False: the lane is closed, and the model still the caller's.</returns>
    public bool TrySwap(ServedModel model)
    {
        Shared<ServedModel> before;
        lock (sync)
        {
            if (closedBy is not null)
            {
                return false;
            }

            models.RemoveAll(task => task.IsCompleted);
            models.Add(model.Ended);
            (before, current) = (current!, new(model));
        }

        before.Release();
        return true;
    }

    /// <summary>Accepts no more; what was accepted is answered.</summary>
    public void Close(RefusalReason reason)
    {
        Shared<ServedModel>? last;
        lock (sync)
        {
            closedBy ??= reason;
            (last, current) = (current, null);
            EndWhenEmpty();
        }

        last?.Release();
    }

    /// <summary>Told by a ticket that is inspected, or given up before.</summary>
    public void StopWaiting() => Interlocked.Decrement(ref waiting);

    /// <summary>Told by a ticket whose caller has its answer, or wants none.</summary>
    public void Leave()
    {
        lock (sync)
        {
            accepted--;
            EndWhenEmpty();
        }
    }

    private void EndWhenEmpty()
    {
        if (closedBy is not null && accepted == 0)
        {
            empty.TrySetResult();
        }
    }
}
