using System.Threading.Channels;
using Microsoft.ML.KagPrompt.Station.Web;

namespace Microsoft.ML.KagPrompt.Station.Teaching;

/// <summary>How far a fit or a trial is.</summary>
/// <param name="Key">What it is of.</param>
/// <param name="Fault">Why it failed; null: it did not.</param>
internal sealed record WorkState(string Key, string By, string Phase, int Done, int Total, bool IsRunning, bool IsCancelled, string? Fault);

/// <summary>Does what takes the machine's time, one at a time, beside the pages.</summary>
internal sealed class HeavyWork(ILogger<HeavyWork> log) : BackgroundService
{
    private readonly Channel<Job> jobs = Channel.CreateBounded<Job>(1);
    private readonly Lock gate = new();
    private WorkState? state;
    private CancellationTokenSource? cancel;

    /// <summary>Something of <see cref="State"/> is new.</summary>
    public event Action? Changed;

    /// <summary>What is under way, or how the last one ended; null: nothing yet.</summary>
    public WorkState? State => Volatile.Read(ref state);

    /// <summary>Begins.</summary>
    /// <exception cref="InvalidOperationException">Something else is under way.</exception>
    public void Start(string key, string by, Func<Action<string, int, int>, CancellationToken, Task> run)
    {
        lock (gate)
        {
            if (state is { IsRunning: true })
            {
                throw new InvalidOperationException($"{state.By} has started something that is still under way. "
                    + "Wait for its end, or cancel it.");
            }

            cancel?.Dispose();
            cancel = new();
            Set(new(key, by, "waiting", 0, 0, IsRunning: true, IsCancelled: false, null));
            jobs.Writer.TryWrite(new(key, by, run, cancel));
        }
    }

    public void Cancel()
    {
        lock (gate)
        {
            if (state is { IsRunning: true })
            {
                cancel?.Cancel();
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var job in jobs.Reader.ReadAllAsync(stoppingToken))
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, job.Cancel.Token);
            var end = new WorkState(job.Key, job.By, "done", 0, 0, IsRunning: false, IsCancelled: false, null);
            try
            {
                await Task.Run(() => job.Run((phase, done, total) => Set(new(job.Key, job.By, phase, done, total, true, false, null)),
                    both.Token), both.Token);
            }
            catch (OperationCanceledException) when (both.IsCancellationRequested)
            {
                end = end with { IsCancelled = true };
            }
            catch (Exception fault)
            {
                // Whatever it was, the next one has its turn.
                log.LogError(fault, "{Key} failed", job.Key);
                end = end with { Fault = Faults.Say(fault) };
            }

            lock (gate)
            {
                Set(end);
            }
        }
    }

    private void Set(WorkState next)
    {
        Volatile.Write(ref state, next);
        Changed?.Invoke();
    }

    private sealed record Job(string Key, string By, Func<Action<string, int, int>, CancellationToken, Task> Run,
        CancellationTokenSource Cancel);
}
