using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.Database;
using Microsoft.ML.KagPrompt.Results.Journal;
using Microsoft.ML.KagPrompt.Results.Recording;
using Microsoft.ML.KagPrompt.Results.Retention;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds what keeps inspection results.</summary>
public static class KagPromptResultsServices
{
    /// <summary>
    /// Adds <see cref="ResultRecorder"/>, <see cref="IResultStore"/>, <see cref="ResultPictures"/> and <see cref="ResultClock"/>, each one
    /// for the whole program, and what works behind them while the host runs: tables are made or renewed at start, results move from the
    /// journal into the database, results and pictures go in time. A database that is away does not keep the host from starting; one of a
    /// newer version does (<see cref="ResultStoreException"/>).
    /// </summary>
    /// <param name="services">Added to.</param>
    /// <param name="configure">Sets at least <see cref="KagPromptResultsOptions.Folder"/>.</param>
    /// <exception cref="ArgumentException">Options out of range, all of them in one message.</exception>
    public static IServiceCollection AddKagPromptResults(this IServiceCollection services, Action<KagPromptResultsOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new KagPromptResultsOptions();
        configure(options);
        options.Validate();
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<ResultDatabase>();
        services.AddSingleton(provider => new ResultClock(options, provider.GetRequiredService<ResultDatabase>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ResultClock>>()));
        services.AddSingleton<ResultWriter>();
        services.AddSingleton<IResultStore, DatabaseResultStore>();
        services.AddSingleton(provider => new ResultPictures(options, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new ResultJournal(options.JournalFolder, options.MaxJournalBytes,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ResultJournal>>()));
        services.AddSingleton(provider => new ResultRecorder(provider.GetRequiredService<ResultJournal>(),
            provider.GetRequiredService<ResultPictures>(), options));
        services.AddSingleton<ResultSweep>();
        services.AddSingleton<PictureSweep>();
        services.AddHostedService<JournalDrain>();
        services.AddHostedService<RetentionService>();
        return services;
    }
}
