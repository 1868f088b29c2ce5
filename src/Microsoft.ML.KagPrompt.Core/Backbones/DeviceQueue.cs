using System.Collections.Concurrent;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>
/// Work that takes all of a device: one at a time in the whole process, whichever model it is of, first come, first served. Two forwards
/// at once, each on all cores, are slower than one after the other.
/// </summary>
/// <remarks>Thread-safe. Lives as long as the process: it holds nothing native, and who waits must not hang.</remarks>
internal sealed class DeviceQueue
{
    private static readonly ConcurrentDictionary<(DeviceType Type, int Index), DeviceQueue> Queues = new();

    private readonly Lock sync = new();
    private readonly Queue<TaskCompletionSource> waiting = new();
    private bool isTaken;

    /// <summary>Whose turn it is among those who wait without a thread.</summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);

    /// <summary>How many wait with a thread.</summary>
    public int Waiting
    {
        get
        {
            lock (sync)
            {
                return waiting.Count;
            }
        }
    }

    /// <summary>A device's only one.</summary>
    public static DeviceQueue For(torch.Device device) => For(device.type, device.index);

    /// <summary>The same; of a kind's devices the first is meant where none is named.</summary>
    public static DeviceQueue For(DeviceType type, int index) => Queues.GetOrAdd((type, Math.Max(0, index)), _ => new());

    /// <summary>Runs work when all who came before have run theirs. Not from within such work.</summary>
    public T Run<T>(Func<T> work)
    {
        Enter();
        try
        {
            return work();
        }
        finally
        {
            Leave();
        }
    }

    private void Enter()
    {
        TaskCompletionSource turn;
        lock (sync)
        {
            if (!isTaken)
            {
                isTaken = true;
                return;
            }

            waiting.Enqueue(turn = new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        try
        {
            turn.Task.Wait();
        }
        catch
        {
            // Interrupted: who gives up lets the next one through, also where its turn has just come.
            if (!turn.TrySetCanceled())
            {
                Leave();
            }

            throw;
        }
    }

    private void Leave()
    {
        lock (sync)
        {
            while (waiting.TryDequeue(out var next))
            {
                if (next.TrySetResult())
                {
                    return;
                }
            }

            isTaken = false;
        }
    }
}
