using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Microsoft.ML.KagPrompt.Results.Database;
using Microsoft.ML.KagPrompt.Results.Retention;

namespace Microsoft.ML.KagPrompt.Results.Tests.Servers;

/// <summary>What a program that keeps results has, with a clock that stands and the words it logs.</summary>
internal sealed class ResultsHost : IAsyncDisposable
{
    private readonly IHost host;

    private ResultsHost(string folder, string? postgres, Action<KagPromptResultsOptions>? configure, TimeProvider? time)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(Log);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddKagPromptResults(options =>
        {
            (options.Folder, options.PostgresConnectionString) = (folder, postgres);
            configure?.Invoke(options);
        });
        host = builder.Build();
    }

    public LogWords Log { get; } = new();

    public ResultRecorder Recorder => Get<ResultRecorder>();

    public IResultStore Store => Get<IResultStore>();

    public ResultPictures Pictures => Get<ResultPictures>();

    public PictureSweep Sweep => Get<PictureSweep>();

    public ResultSweep Rows => Get<ResultSweep>();

    public ResultClock ResultClock => Get<ResultClock>();

    public ResultDatabase Database => Get<ResultDatabase>();

    public static async Task<ResultsHost> StartAsync(string folder, string? postgres = null,
        Action<KagPromptResultsOptions>? configure = null, TimeProvider? time = null)
    {
        var made = new ResultsHost(folder, postgres, configure, time);
        try
        {
            await made.host.StartAsync();
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>Without its services at work: results stay in the journal.</summary>
    public static ResultsHost Idle(string folder, Action<KagPromptResultsOptions>? configure = null, TimeProvider? time = null)
        => new(folder, null, configure, time);

    /// <summary>A clock that stands.</summary>
    public static FakeTimeProvider Clock() => new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public static InspectionRecord Record(string product = "bolt", float score = 0.5f, bool isAnomalous = false,
        DateTimeOffset? time = null) => new()
    {
        Id = InspectionRecord.NewId(),
        Product = product,
        ModelVersion = "3",
        Time = time ?? new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
        Score = score,
        IsAnomalous = isAnomalous,
    };

    public async Task StoreAsync(params InspectionRecord[] records)
    {
        foreach (var record in records)
        {
            await Recorder.RecordAsync(record);
        }

        await Recorder.WhenStoredAsync();
    }

    /// <summary>A result with a picture, which is in the database then.</summary>
    /// <param name="picture">Its picture's bytes.</param>
    /// <param name="at">When the part was inspected; null: now by the host's clock.</param>
    public async Task<StoredResult> StoreAsync(string picture, DateTimeOffset? at = null)
    {
        var record = Record(time: at ?? Get<TimeProvider>().GetUtcNow());
        await Recorder.RecordAsync(record, System.Text.Encoding.UTF8.GetBytes(picture));
        await Recorder.WhenStoredAsync();
        return (await Store.FindAsync(record.Id))!;
    }

    /// <summary>Removes what is too old or too much.</summary>
    public async Task SweepAsync()
    {
        await Rows.RunAsync(default);
        await Sweep.RunAsync(default);
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    private T Get<T>() where T : notnull => host.Services.GetRequiredService<T>();
}
