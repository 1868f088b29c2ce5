using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Results.Database;
using Microsoft.ML.KagPrompt.Results.Journal;
using Polly;
using Polly.Retry;

namespace Microsoft.ML.KagPrompt.Results.Recording;

/// <summary>Moves results from the journal into the database, for as long as that takes.</summary>
internal sealed partial class JournalDrain : BackgroundService
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);

    private readonly ResultJournal journal;
    private readonly ResultWriter writer;
    private readonly ResultDatabase database;
    private readonly KagPromptResultsOptions options;
    private readonly ILogger<JournalDrain> log;
    private readonly ResiliencePipeline untilItWorks;

    public JournalDrain(ResultJournal journal, ResultWriter writer, ResultDatabase database, KagPromptResultsOptions options,
        TimeProvider time, ILogger<JournalDrain> log)
    {
        (this.journal, this.writer, this.database, this.options, this.log) = (journal, writer, database, options, log);
        untilItWorks = new ResiliencePipelineBuilder { TimeProvider = time }.AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = int.MaxValue,
            ShouldHandle = args => ValueTask.FromResult(args.Outcome.Exception is not null
                && !args.Context.CancellationToken.IsCancellationRequested),
            DelayGenerator = args => ValueTask.FromResult<TimeSpan?>(DelayAfter(args.AttemptNumber)),
            OnRetry = args =>
            {
                LogRetry(log, args.Outcome.Exception, journal.Pending, args.RetryDelay);
                return default;
            },
        }).Build();
    }

    /// <summary>A database of a newer version stops the program here; one that is away does not.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var context = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is not (ResultStoreException or OperationCanceledException))
        {
            LogAway(log, fault);
        }

        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            // The journal's disk may refuse as the database may: neither ends the program.
            await untilItWorks.ExecuteAsync(async token =>
            {
                var batch = await journal.ReadAsync(options.BatchSize, token).ConfigureAwait(false);
                await writer.WriteAsync(batch.Entries, token).ConfigureAwait(false);
                journal.Complete(batch);
            }, stoppingToken).ConfigureAwait(false);
        }
    }

    private TimeSpan DelayAfter(int attempts)
        => TimeSpan.FromTicks(Math.Min(options.MaxRetryDelay.Ticks, FirstDelay.Ticks << Math.Min(attempts, 20)));

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database is not there at start; results are kept in the journal until it is.")]
    private static partial void LogAway(ILogger log, Exception fault);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The database took no results, or the journal gave none; {Pending} wait in the journal. The next try is in {Delay}.")]
    private static partial void LogRetry(ILogger log, Exception? fault, long pending, TimeSpan delay);
}
