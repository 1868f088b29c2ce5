using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>
/// Work that takes all of a device: one at a time in the whole process, whichever model it is of, first come, first served. Two forwards
/// at once, each on all cores, are slower than one after the other.
/// </summary>
/// <remarks>
/// All of it runs on one thread of the device's own, whoever asks: each thread that ever drove libtorch keeps a team of helpers, a heap
/// and caches of its own. Thread-safe. Lives as long as the process: it holds nothing native, and who waits must not hang.
/// </remarks>
internal sealed class DeviceQueue
{
    private static readonly ConcurrentDictionary<(DeviceType Type, int Index), DeviceQueue> Queues = new();

    private readonly BlockingCollection<Job> jobs = [];
    private readonly Lazy<Thread> thread;

    public DeviceQueue(DeviceType type = DeviceType.CPU) => thread = new(() => Start(type));

    /// <summary>Whose turn it is among those who wait without a thread.</summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);

    /// <summary>How many wait with a thread.</summary>
    public int Waiting => jobs.Count;

    /// <summary>A device's only one.</summary>
    public static DeviceQueue For(torch.Device device) => For(device.type, device.index);

    /// <summary>The same; of a kind's devices the first is meant where none is named.</summary>
    public static DeviceQueue For(DeviceType type, int index) => Queues.GetOrAdd((type, Math.Max(0, index)), key => new(key.Type));

    /// <summary>
    /// Runs work, without gradients, when all who came before have run theirs. Not from within such work. Tensors that it returns are to be
    /// free of the scopes of the thread that it runs on.
    /// </summary>
    public T Run<T>(Func<T> work)
    {
        var job = new Job<T>(work, torch.get_num_threads());
        _ = thread.Value;
        jobs.Add(job);
        return job.Wait();
    }

    private Thread Start(DeviceType type)
    {
        // Ends with the process.
        var started = new Thread(() => Serve(type)) { IsBackground = true, Name = $"KagPrompt {type}" };
        started.UnsafeStart();
        return started;
    }

    private void Serve(DeviceType type)
    {
        if (type == DeviceType.CPU)
        {
            ThreadHeap.Reserve();
        }

        using var noGradients = torch.no_grad();
        while (true)
        {
            RunNext();
        }
    }

    // Apart, so that nothing here holds what ran last, and with it a model, until the next comes.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RunNext() => jobs.Take().Run();

    private abstract class Job
    {
        public abstract void Run();
    }

    private sealed class Job<T>(Func<T> work, int threads) : Job
    {
        // What flows with the caller: its culture, what it traces.
        private readonly ExecutionContext? context = ExecutionContext.Capture();
        private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int taken;

        public override void Run()
        {
            if (Interlocked.Exchange(ref taken, 1) != 0)
            {
                return;
            }

            if (context is null)
            {
                Work();
            }
            else
            {
                ExecutionContext.Run(context, static job => ((Job<T>)job!).Work(), this);
            }
        }

        public T Wait()
        {
            try
            {
                // Of a task: the pool is told that its thread waits.
                done.Task.Wait();
            }
            catch (AggregateException)
            {
                // Thrown below.
            }
            catch (ThreadInterruptedException) when (Interlocked.Exchange(ref taken, 1) == 0)
            {
                throw;
            }
            catch (ThreadInterruptedException interrupted)
            {
                AwaitEnd();
                ExceptionDispatchInfo.Throw(interrupted);
            }

            return done.Task.GetAwaiter().GetResult();
        }

        /// <summary>Whatever interrupts: it runs already, on what is the caller's.</summary>
        private void AwaitEnd()
        {
            while (!done.Task.IsCompleted)
            {
                try
                {
                    ((IAsyncResult)done.Task).AsyncWaitHandle.WaitOne();
                }
                catch (ThreadInterruptedException)
                {
                    // Once is enough: the first is thrown in the end.
                }
            }
        }

        private void Work()
        {
            try
            {
                // libtorch's number of threads is each thread's own: it is the caller's that counts.
                if (torch.get_num_threads() != threads)
                {
                    torch.set_num_threads(threads);
                }

                done.SetResult(work());
            }
            catch (Exception fault)
            {
                done.SetException(fault);
            }
        }
    }
}
