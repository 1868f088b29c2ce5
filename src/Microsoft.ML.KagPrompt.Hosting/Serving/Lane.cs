using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.ML.KagPrompt.Hosting.Telemetry;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>One product's requests: who may come in, and on which model. <see cref="BatchLoop"/> inspects what is queued.</summary>
/// <remarks>Thread-safe. Owns a share in the model that serves new requests.</remarks>
internal sealed class Lane
{
    private readonly Lock sync = new();
    // Not bounded by itself: those who wait are counted from the moment they are accepted, as most of their memory is taken before that.
    private readonly Channel<Ticket> queue = Channel.CreateUnbounded<Ticket>(new() { SingleReader = true });
    private readonly int capacity;
    private readonly BatchLoop loop;
    private Shared<ServedModel>? current;
    private RefusalReason? closedBy;
    private int waiting, accepted;

    public Lane(string product, ServedModel model, KagPromptHostingOptions options, HostingMetrics metrics, TimeProvider time,
        CancellationToken abort)
    {
        (Product, current, capacity) = (product, new(model), options.QueueCapacity);
        loop = new(product, queue.Reader, options, metrics, time, abort);
        Ended = loop.RunAsync();
    }

    public string Product { get; }

    /// <summary>Requests that were accepted and are not being inspected yet.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    public string? ScoringFault => loop.Fault;

    /// <summary>The version that new requests get; null: the lane is closed.</summary>
    public string? Version
    {
        get
        {
            lock (sync)
            {
                return current?.Value.Version;
            }
        }
    }

    /// <summary>Ends when the lane is closed and all that was accepted is answered.</summary>
    public Task Ended { get; }

    /// <summary>Accepts a request. The caller disposes the ticket.</summary>
    /// <exception cref="InspectionRefusedException">It is refused.</exception>
    public Ticket Enter()
    {
        lock (sync)
        {
            if (closedBy is { } reason)
            {
                throw reason == RefusalReason.Stopping ? Refusals.Stopping() : Refusals.ProductUnknown(Product);
            }

            if (Waiting >= capacity)
            {
                throw Refusals.QueueFull(Product, capacity, loop.TimeOf(capacity));
            }

            Interlocked.Increment(ref waiting);
            accepted++;
            return new(this, current!.Acquire()) { Activity = Activity.Current?.Context ?? default };
        }
    }

    /// <summary>Queues an accepted request whose picture is set.</summary>
    public void Post(Ticket ticket) => queue.Writer.TryWrite(ticket);

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
            CompleteWhenEmpty();
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
            CompleteWhenEmpty();
        }
    }

    private void CompleteWhenEmpty()
    {
        if (closedBy is not null && accepted == 0)
        {
            queue.Writer.TryComplete();
        }
    }
}
