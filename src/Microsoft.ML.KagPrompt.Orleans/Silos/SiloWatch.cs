using Microsoft.Extensions.Logging;

namespace Microsoft.ML.KagPrompt.Orleans.Silos;

/// <summary>Keeps the board: asks every silo how it is, from the moment this one takes part until it stops.</summary>
internal sealed partial class SiloWatch(ISiloStatusOracle members, SiloWorkers workers, SiloBoard board, PlantSiloOptions options,
    TimeProvider time, ILogger<SiloWatch> log) : ILifecycleParticipant<ISiloLifecycle>
{
    private readonly CancellationTokenSource over = new();
    private Task watching = Task.CompletedTask;

    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(SiloWatch), ServiceLifecycleStage.Active,
        async stop =>
        {
            await LookAsync();
            watching = Task.Run(WatchAsync, stop);
        },
        async _ =>
        {
            await over.CancelAsync();
            await watching;
        });

    /// <summary>Asks all of them now. One that does not answer in time is suspect.</summary>
    public async Task LookAsync()
    {
        var active = members.GetActiveSilos();
        board.Keep(active);
        await Task.WhenAll(active.Select(AskAsync));
    }

    /// <summary>Silos that take part, whether they have answered or not.</summary>
    public int Active => members.GetActiveSilos().Length;

    private async Task AskAsync(SiloAddress silo)
    {
        // Twice the interval, and no less than what a busy machine may take to answer.
        var patience = TimeSpan.FromSeconds(Math.Max(1, 2 * options.StatusInterval.TotalSeconds));
        try
        {
            board.Report(silo, await workers.At(silo).GetStatusAsync().WaitAsync(patience, time));
        }
        catch (Exception fault) when (fault is OrleansException or TimeoutException)
        {
            board.Suspect(silo, options.DeadAfter);
            LogSilent(log, silo, fault.Message);
        }
    }

    private async Task WatchAsync()
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.StatusInterval, time, over.Token);
                await LookAsync();
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // Whatever it is, the next look may succeed; a board that is not kept would send work to the dead.
                LogFailed(log, fault);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Silo {Silo} did not say how it is: {Why}")]
    private static partial void LogSilent(ILogger log, SiloAddress silo, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Silos could not be asked how they are.")]
    private static partial void LogFailed(ILogger log, Exception fault);
}
