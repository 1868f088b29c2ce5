using System.Threading.Channels;
using Microsoft.ML.KagPrompt.Hosting.Telemetry;

namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>
/// A loaded model with its version and the queue of those who began with it. Owns the model; who uses it has a share in this
/// (<see cref="Numerics.Shared{T}"/>), so that it is disposed when nobody does.
/// </summary>
internal sealed class ServedModel : IDisposable
{
    // Not bounded by itself: those who wait are counted from the moment they are accepted, as most of their memory is taken before that.
    private readonly Channel<Ticket> queue = Channel.CreateUnbounded<Ticket>(new() { SingleReader = true });
    private readonly BatchLoop loop;
    private readonly Action<Exception> undisposed;

    /// <param name="product">What it inspects.</param>
    /// <param name="model">The model, which it owns from now on.</param>
    /// <param name="version">The model's version.</param>
    /// <param name="options">Sizes of batches.</param>
    /// <param name="metrics">Told of every batch.</param>
    /// <param name="time">Tells how long batches take.</param>
    /// <param name="undisposed">Told why the model could not be disposed.</param>
    /// <param name="abort">Breaks off what is under way.</param>
    public ServedModel(string product, IInspectionModel model, string version, KagPromptHostingOptions options, HostingMetrics metrics,
        TimeProvider time, Action<Exception> undisposed, CancellationToken abort)
    {
        (Model, Version, this.undisposed) = (model, version, undisposed);
        loop = new(product, this, queue.Reader, options, metrics, time, abort);
        // What flows with whoever swaps, as its activity, is not the batches'.
        using (ExecutionContext.SuppressFlow())
        {
            Ended = Task.Run(loop.RunAsync);
        }
    }

    public IInspectionModel Model { get; }

    public string Version { get; }

    /// <summary>Why the last batch failed, where no image was at fault; null: it did not.</summary>
    public string? ScoringFault => loop.Fault;

    /// <summary>Ends when it is disposed and its last batch is done.</summary>
    public Task Ended { get; }

    /// <summary>How long so many images will take; null: none was inspected yet.</summary>
    public TimeSpan? TimeOf(int images) => loop.TimeOf(images);

    /// <summary>Queues an accepted request whose picture is set.</summary>
    public void Post(Ticket ticket)
    {
        if (!queue.Writer.TryWrite(ticket))
        {
            ticket.Fail(new ObjectDisposedException(nameof(ServedModel)));
        }
    }

    /// <summary>Never fails: the last to let go may be a caller whose verdict is made, or a batch's loop.</summary>
    public void Dispose()
    {
        queue.Writer.TryComplete();
        try
        {
            Model.Dispose();
        }
        catch (Exception fault)
        {
            undisposed(fault);
        }
    }
}
