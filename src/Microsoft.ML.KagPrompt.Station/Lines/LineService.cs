using System.Collections.Concurrent;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Storage;
using Microsoft.ML.KagPrompt.Station.Web;

namespace Microsoft.ML.KagPrompt.Station.Lines;

/// <summary>Runs a worker for each line, and begins and ends them as lines come and go.</summary>
internal sealed class LineService(LineStore lines, InspectionPipeline pipeline, IResultStore store, ResultRecorder recorder,
    StationOptions options,
    TimeProvider time, ILogger<LineService> log) : BackgroundService
{
    private readonly ConcurrentDictionary<int, Running> running = new();
    private readonly SemaphoreSlim changed = new(1);

    /// <summary>There are other lines, or one changed.</summary>
    public event Action? Changed;

    /// <summary>The lines, by name.</summary>
    public IReadOnlyList<LineState> States => [.. running.Values.Select(each => each.State)
        .OrderBy(state => state.Name, StringComparer.Ordinal)];

    /// <summary>A result that the database may not have yet.</summary>
    public LiveResult? Find(Guid id) => running.Values.SelectMany(each => each.State.Newest)
        .FirstOrDefault(result => result.Record.Id == id);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        lines.Changed += Wake;
        try
        {
            while (true)
            {
                await changed.WaitAsync(TimeSpan.FromSeconds(30), stoppingToken);
                try
                {
                    await AdjustAsync(stoppingToken);
                }
                catch (Exception fault) when (Faults.IsExpected(fault))
                {
                    log.LogWarning(fault, "the lines could not be read");
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(running.Values.Select(each => each.Work));
        }
        finally
        {
            lines.Changed -= Wake;
        }
    }

    private void Wake() => changed.Release();

    private async Task AdjustAsync(CancellationToken stop)
    {
        var wanted = (await lines.ListAsync(stop)).ToDictionary(line => line.Id);
        foreach (var (id, worker) in running)
        {
            if (!wanted.ContainsKey(id) && running.TryRemove(id, out _))
            {
                await worker.Stop.CancelAsync();
                await worker.Work;
                worker.Stop.Dispose();
            }
        }

        foreach (var line in wanted.Values)
        {
            var one = running.GetOrAdd(line.Id, _ => Begin(line, stop));
            one.State.IsPaused = line.Paused;
        }

        Changed?.Invoke();
    }

    private Running Begin(LineRow line, CancellationToken stop)
    {
        var state = new LineState(line.Id, line.Name, line.Product) { IsPaused = line.Paused };
        state.Changed += () => Changed?.Invoke();
        var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var worker = new LineWorker(line, state, options.Incoming, pipeline, store, recorder, time, log);
        return new(state, Task.Run(() => worker.RunAsync(end.Token), CancellationToken.None), end);
    }

    private sealed record Running(LineState State, Task Work, CancellationTokenSource Stop);
}
