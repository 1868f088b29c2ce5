using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>Results that are recorded while their PostgreSQL is stopped and started again.</summary>
internal static class Outages
{
    private const int AtOnce = 4;
    private const int MostMilliseconds = 3000;

    public static async Task RunAsync(Totals totals, int seed, long seconds)
    {
        using var server = new PostgresProgram();
        if (server.WhyNot is { } why)
        {
            totals.Say($"outages: left out, as {why}");
            return;
        }

        var folder = Directory.CreateTempSubdirectory("kagprompt-soak-").FullName;
        var services = new ServiceCollection();
        services.AddKagPromptResults(options =>
        {
            (options.Folder, options.PostgresConnectionString) = (folder, server.NewDatabase());
            options.MaxRetryDelay = TimeSpan.FromSeconds(1);
        });
        await using (var provider = services.BuildServiceProvider())
        {
            var working = provider.GetServices<IHostedService>().ToArray();
            foreach (var service in working)
            {
                await service.StartAsync(default);
            }

            await TrialAsync(totals, new Random(seed), TimeSpan.FromSeconds(seconds), server, provider);
            foreach (var service in working)
            {
                await service.StopAsync(default);
            }
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task TrialAsync(Totals totals, Random random, TimeSpan length, PostgresProgram server, IServiceProvider provider)
    {
        var (recorder, clock) = (provider.GetRequiredService<ResultRecorder>(), Stopwatch.StartNew());
        var recorded = new ConcurrentQueue<Guid>();
        var load = Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (clock.Elapsed < length)
            {
                var record = new InspectionRecord
                {
                    Id = InspectionRecord.NewId(), Product = "part", ModelVersion = "1", Time = DateTimeOffset.UtcNow, Score = 1,
                    IsAnomalous = false,
                };
                await recorder.RecordAsync(record);
                recorded.Enqueue(record.Id);
            }
        })));
        while (!load.IsCompleted)
        {
            await Task.Delay(random.Next(MostMilliseconds));
            server.Stop();
            totals.Add(outages: 1);
            await Task.Delay(random.Next(MostMilliseconds));
            server.Start();
        }

        await load;
        await recorder.WhenStoredAsync();
        var stored = new List<Guid>();
        await foreach (var result in provider.GetRequiredService<IResultStore>().StreamAsync(ResultFilter.All))
        {
            stored.Add(result.Id);
        }

        totals.Add(results: recorded.Count, lostResults: recorded.Except(stored).Count(), repeatedResults: stored.Count - stored.Distinct().Count());
    }
}
