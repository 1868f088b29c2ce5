using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.ML.KagPrompt.Results.Pictures;

/// <summary>Looks through the pictures at start and every so often.</summary>
internal sealed partial class PictureRetention(
    PictureSweep sweep, KagPromptResultsOptions options, TimeProvider time, ILogger<PictureRetention> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.RetentionInterval, time);
        do
        {
            try
            {
                // Listing files takes long and has no asynchronous form: off the thread that starts the host.
                await Task.Run(() => sweep.RunAsync(stoppingToken), stoppingToken).ConfigureAwait(false);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(log, fault, options.RetentionInterval);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pictures could not be looked through; the next try is in {Interval}.")]
    private static partial void LogFailed(ILogger log, Exception fault, TimeSpan interval);
}
