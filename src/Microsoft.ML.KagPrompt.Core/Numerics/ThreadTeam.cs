using System.Runtime.ExceptionServices;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Threads that help with short work, of the process's own rather than the thread pool's: the pool may be full of callers that wait for
/// just this work.
/// </summary>
/// <remarks>
/// Thread-safe: who comes while they help another works alone. They are made when first needed, and end with the process.
/// </remarks>
internal static class ThreadTeam
{
    private static readonly object Busy = new();
    private static readonly SemaphoreSlim Calls = new(0);
    private static int helpers;
    private static volatile Job? current;

    /// <summary>
    /// Runs work on this thread and on those of the helpers that come before this thread has done it. Ends when nobody is at it.
    /// </summary>
    /// <param name="threads">This one and its helpers, at most.</param>
    /// <param name="work">Takes its parts from where the others take theirs, until there are none.</param>
    public static void Run(int threads, Action work)
    {
        if (threads < 2 || !Monitor.TryEnter(Busy))
        {
            work();
            return;
        }

        try
        {
            for (; helpers < threads - 1; helpers++)
            {
                new Thread(Help) { IsBackground = true, Name = "KagPrompt helper" }.UnsafeStart();
            }

            var job = new Job(work, threads - 1);
            current = job;
            Calls.Release(threads - 1);
            try
            {
                work();
            }
            finally
            {
                current = null;
                job.Close();
            }
        }
        finally
        {
            Monitor.Exit(Busy);
        }
    }

    /// <summary>Has as many threads as libtorch may use share some work.</summary>
    /// <param name="parts">How many there are.</param>
    /// <param name="work">Asks for the next part's number until there is none (−1).</param>
    public static void Share(int parts, Action<Func<int>> work)
    {
        var taken = -1;
        int Next() => Interlocked.Increment(ref taken) is var part && part < parts ? part : -1;
        Run(Math.Min(parts, TorchThreads.Count), () => work(Next));
    }

    private static void Help()
    {
        while (true)
        {
            Calls.Wait();
            current?.Join();
        }
    }

    private sealed class Job(Action work, int places)
    {
        private readonly object sync = new();
        private int left = places, working;
        private ExceptionDispatchInfo? fault;

        public void Join()
        {
            lock (sync)
            {
                if (left == 0)
                {
                    return;
                }

                left--;
                working++;
            }

            try
            {
                work();
            }
            catch (Exception thrown)
            {
                fault = ExceptionDispatchInfo.Capture(thrown);
            }
            finally
            {
                lock (sync)
                {
                    working--;
                    Monitor.Pulse(sync);
                }
            }
        }

        /// <summary>Lets nobody in any more, and waits for those who are.</summary>
        public void Close()
        {
            var isInterrupted = false;
            lock (sync)
            {
                left = 0;
                while (working > 0)
                {
                    try
                    {
                        Monitor.Wait(sync);
                    }
                    catch (ThreadInterruptedException)
                    {
                        // What they work on is the caller's: it goes on when they are done.
                        isInterrupted = true;
                    }
                }
            }

            if (isInterrupted)
            {
                Thread.CurrentThread.Interrupt();
            }

            fault?.Throw();
        }
    }
}
