using Microsoft.AspNetCore.Identity;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Lines;
using Microsoft.ML.KagPrompt.Station.Storage;
using Microsoft.ML.KagPrompt.Station.Teaching;

namespace Microsoft.ML.KagPrompt.Station.Tests.Lines;

/// <summary>A line on a folder, with the real journal and database, and an inspector that counts.</summary>
internal sealed class LineBench : IAsyncDisposable
{
    private readonly List<(Task Work, CancellationTokenSource Stop)> workers = [];
    private readonly ServiceProvider services;

    private LineBench(string data)
    {
        var options = new StationOptions { Data = data };
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddSingleton(options).AddSingleton(TimeProvider.System);
        collection.AddDbContextFactory<StationDb>(db => db.UseSqlite($"Data Source={options.PathTo("station.db")}"));
        collection.AddKagPromptResults(results => results.Folder = options.PathTo("results"));
        collection.AddSingleton<Pictures.PictureDecoder>().AddSingleton<IInspector>(Inspector).AddSingleton<FactsStore>()
            .AddSingleton<InspectionPipeline>();
        services = collection.BuildServiceProvider();
        (Data, Folder) = (data, Path.Combine(options.Incoming, "line"));
        Directory.CreateDirectory(Folder);
    }

    public string Data { get; }

    public string Folder { get; }

    public CountingInspector Inspector { get; } = new();

    public IResultStore Store => services.GetRequiredService<IResultStore>();

    public static async Task<LineBench> StartAsync(string? data = null)
    {
        var bench = new LineBench(data ?? Directory.CreateTempSubdirectory("kagprompt-line-").FullName);
        await using (var db = await bench.services.GetRequiredService<IDbContextFactory<StationDb>>().CreateDbContextAsync())
        {
            await StationSchema.PrepareAsync(db, default);
        }

        foreach (var service in bench.services.GetServices<IHostedService>())
        {
            await service.StartAsync(default);
        }

        return bench;
    }

    public LineState Watch(bool leave = false)
    {
        var state = new LineState(1, "line", "washer");
        var stop = new CancellationTokenSource();
        var worker = new LineWorker(new LineRow { Id = 1, Name = "line", Product = "washer", Folder = "line", Leave = leave }, state,
            Path.Combine(Data, "incoming"), services.GetRequiredService<InspectionPipeline>(), Store,
                services.GetRequiredService<ResultRecorder>(),
            TimeProvider.System, NullLogger.Instance);
        workers.Add((worker.RunAsync(stop.Token), stop));
        return state;
    }

    public string Put(string name, byte[] file)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllBytes(path, file);
        return path;
    }

    public async Task<IReadOnlyList<StoredResult>> ResultsAsync()
    {
        await services.GetRequiredService<ResultRecorder>().WhenStoredAsync();
        return (await Store.QueryAsync(ResultFilter.All)).Results;
    }

    public static async Task UntilAsync(Func<bool> isSo)
    {
        for (var tries = 0; !isSo(); tries++)
        {
            (tries < 600).Should().BeTrue("it should have been so within a minute");
            await Task.Delay(100);
        }
    }

    /// <summary>Ends the workers; what they did stays.</summary>
    public async Task StopAsync()
    {
        foreach (var (work, stop) in workers)
        {
            await stop.CancelAsync();
            await work;
            stop.Dispose();
        }

        workers.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StopAsync(default);
        }

        await services.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(Data, recursive: true);
    }
}

/// <summary>Says that every picture is good, and counts.</summary>
internal sealed class CountingInspector : IInspector
{
    private int count;

    public int Count => Volatile.Read(ref count);

    public Exception? Fault { get; set; }

    public Task<Inspection> InspectAsync(byte[] image, string product, CancellationToken cancellationToken = default)
    {
        if (Fault is not null)
        {
            throw Fault;
        }

        ImageCodec.Read(image, "the picture");
        Interlocked.Increment(ref count);
        return Task.FromResult(new Inspection(0.1f, false, 0.5f, 0.01f, new float[64], 8, 8) { ModelVersion = "v1" });
    }

    public Task<Inspection> InspectAsync(Stream image, string product, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public Task<Inspection> InspectAsync(PixelBuffer image, string product, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();
}
