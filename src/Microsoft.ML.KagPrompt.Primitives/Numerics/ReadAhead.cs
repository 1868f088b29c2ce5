using System.Runtime.ExceptionServices;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Items in batches, read on another thread while the batch before is used: one batch ahead and no more, so that memory stays bounded.
/// </summary>
/// <remarks>
/// One thread at a time goes through the source, in order. What the source throws comes after the items before it, and again at each
/// asking. Not thread-safe.
/// </remarks>
internal sealed class ReadAhead<T> : IDisposable
{
    private readonly CancellationTokenSource stop;
    private readonly IEnumerator<T> items;
    private readonly Func<T, int, bool> endsBatch;
    private Task<Batch>? reading;
    private bool disposed;

    /// <summary>Nothing is read before it is asked for.</summary>
    /// <param name="source">The items; what it waits for ends with the token.</param>
    /// <param name="endsBatch">Whether this item, the batch's n-th, is its last.</param>
    /// <param name="cancellation">Ends the reading, as disposing does.</param>
    public ReadAhead(Func<CancellationToken, IEnumerable<T>> source, Func<T, int, bool> endsBatch, CancellationToken cancellation = default)
    {
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        (items, this.endsBatch) = (source(stop.Token).GetEnumerator(), endsBatch);
    }

    /// <summary>The next batch; empty after the last. The one after it is begun.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<T> Next()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var batch = (reading ?? Task.Run(Read)).GetAwaiter().GetResult();
        if (batch.Items.Count == 0)
        {
            reading = Task.FromResult(batch);
            batch.Fault?.Throw();
            return [];
        }

        reading = batch.IsLast ? Task.FromResult(batch with { Items = [] }) : Task.Run(Read);
        return batch.Items;
    }

    /// <summary>Cancels what is being read and waits for its end; then the source is let go of.</summary>
    public void Dispose()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        stop.Cancel();
        reading?.Wait();
        items.Dispose();
        stop.Dispose();
    }

    private Batch Read()
    {
        var read = new List<T>();
        try
        {
            do
            {
                stop.Token.ThrowIfCancellationRequested();
                if (!items.MoveNext())
                {
                    return new(read, IsLast: true, null);
                }

                read.Add(items.Current);
            }
            while (!endsBatch(read[^1], read.Count));
            return new(read, IsLast: false, null);
        }
        catch (Exception fault)
        {
            return new(read, IsLast: true, ExceptionDispatchInfo.Capture(fault));
        }
    }

    private sealed record Batch(IReadOnlyList<T> Items, bool IsLast, ExceptionDispatchInfo? Fault);
}
