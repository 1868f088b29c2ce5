using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.ML.KagPrompt.Results.Retention;

/// <summary>Looks through results and pictures at start and every so often.</summary>
internal sealed partial class RetentionService(ResultSweep results, PictureSweep pictures, KagPromptResultsOptions options,
    ResultClock clock, TimeProvider time, ILogger<RetentionService> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.RetentionInterval, time);
        do
        {
            try
            {
                await clock.NowAsync(stoppingToken).ConfigureAwait(false);
                if (clock.Doubt is { } doubt)
                {
                    LogDoubt(log, doubt.Shown, doubt.Expected, doubt.Remaining);
                }

                clock.Keep();
                // Rows first: their pictures then go in the same pass.
                await results.RunAsync(stoppingToken).ConfigureAwait(false);
                // Listing files takes long and has no asynchronous form: off the thread that starts the host.
                await Task.Run(() => pictures.RunAsync(stoppingToken), stoppingToken).ConfigureAwait(false);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(log, fault, options.RetentionInterval);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        clock.Keep();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The machine's clock shows {Shown:O}, but {Expected:O} was expected, give or take "
        + "the time for which this program stood still. If the clock is wrong, set it right: once this program has run by it for "
        + "{Remaining} more, results and pictures are removed that are too old by it. Until then their days are counted by the earlier "
        + "time. If the clock is right, nothing need be done.")]
    private static partial void LogDoubt(ILogger log, DateTimeOffset shown, DateTimeOffset expected, TimeSpan remaining);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Results and pictures could not be looked through; the next try is in {Interval}.")]
    private static partial void LogFailed(ILogger log, Exception fault, TimeSpan interval);
}
