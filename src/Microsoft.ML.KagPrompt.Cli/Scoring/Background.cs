using System.Collections.Concurrent;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>
/// What a thread of its own makes, item by item: a read that waits for input cannot be cancelled, but the wait for that thread can.
/// </summary>
internal static class Background
{
    /// <summary>Items that may wait, so that a fast sender is held back.</summary>
    private const int MostWaiting = 64;

    /// <summary>The items in order. What making them throws is thrown here.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled, also while nothing came.</exception>
    public static IEnumerable<T> Read<T>(Func<IEnumerable<T>> make, CancellationToken cancellation)
    {
        using var items = new BlockingCollection<T>(MostWaiting);
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                foreach (var item in make())
                {
                    items.Add(item, cancellation);
                }
            }
            catch (Exception happened)
            {
                fault = happened;
            }

            Complete(items);
        })
        { IsBackground = true, Name = "standard input" };
        thread.Start();
        foreach (var item in items.GetConsumingEnumerable(cancellation))
        {
            yield return item;
        }

        if (fault is not null and not OperationCanceledException)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(fault);
        }
    }

    private static void Complete<T>(BlockingCollection<T> items)
    {
        try
        {
            items.CompleteAdding();
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }
}
