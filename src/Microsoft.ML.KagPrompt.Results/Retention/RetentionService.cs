using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.ML.KagPrompt.Results.Retention;

/// <summary>Looks through results and pictures at start and every so often.</summary>
internal sealed partial class RetentionService(ResultSweep results, PictureSweep pictures, KagPromptResultsOptions options,
    TimeProvider time, ILogger<RetentionService> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.RetentionInterval, time);
        do
        {
            try
            {
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

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Results and pictures could not be looked through; the next try is in {Interval}.")]
    private static partial void LogFailed(ILogger log, Exception fault, TimeSpan interval);
}
