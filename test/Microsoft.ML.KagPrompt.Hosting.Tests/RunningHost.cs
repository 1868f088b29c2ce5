using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Hosting.Tests;

/// <summary>A host with models, in a folder of its own.</summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private readonly IHost host;
    private readonly MeterListener listener = new();
    private readonly List<(string Instrument, double Value, string Product, string Outcome)> measured = [];

    private bool isStarted;

    private RunningHost(IHost host, string folder) => (this.host, Folder) = (host, folder);

    public string Folder { get; }

    public IInspector Inspector => host.Services.GetRequiredService<IInspector>();

    public IModelHost Models => host.Services.GetRequiredService<IModelHost>();

    public T Get<T>() where T : notnull => host.Services.GetRequiredService<T>();

    /// <summary>A host that is not started yet.</summary>
    public static RunningHost Create(Action<KagPromptHostingOptions, string>? options, Action<KagPromptBuilder, string> parts, TimeProvider? time = null)
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-hosting-").FullName;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging(log => log.ClearProviders());
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddHealthChecks().AddKagPrompt();
        parts(builder.Services.AddKagPrompt(chosen => options?.Invoke(chosen, folder)), folder);
        var running = new RunningHost(builder.Build(), folder);
        running.Listen();
        return running;
    }

    /// <summary>One that serves product "part" with a model of the loader's.</summary>
    public static async Task<RunningHost> StartAsync(FakeLoader loader, Action<KagPromptHostingOptions>? options = null, TimeProvider? time = null)
    {
        var running = Create((chosen, _) => options?.Invoke(chosen), (builder, _) => builder.AddLoader(loader), time);
        await running.StartAsync();
        await running.SwapAsync("one");
        return running;
    }

    public async Task StartAsync()
    {
        await host.StartAsync();
        isStarted = true;
    }

    public Task StopAsync(CancellationToken timeIsOver = default) => host.StopAsync(timeIsOver);

    /// <summary>A file for the fake loader.</summary>
    public string FakeFile(string name)
    {
        var path = Path.Combine(Folder, $"{name}.fake");
        File.WriteAllText(path, $"FAKE {name}");
        return path;
    }

    /// <summary>Gives "part" another fake model of this name and version.</summary>
    public Task SwapAsync(string name, CancellationToken cancellation = default)
        => Models.SwapAsync(new("part", FakeFile(name)) { Version = name }, cancellation);

    /// <summary>Has a picture of one level inspected: the fake model's score.</summary>
    public Task<Inspection> InspectAsync(byte level, CancellationToken cancellation = default)
        => Inspector.InspectAsync(TestPictures.Plain(FakeModel.Side, FakeModel.Side, level), "part", cancellation);

    public async Task<HealthReportEntry> HealthAsync()
        => (await Get<HealthCheckService>().CheckHealthAsync()).Entries["kagprompt"];

    /// <summary>What an instrument measured so far.</summary>
    public (double Value, string Product, string Outcome)[] Measured(string instrument)
    {
        listener.RecordObservableInstruments();
        lock (measured)
        {
            return [.. measured.Where(one => one.Instrument == instrument).Select(one => (one.Value, one.Product, one.Outcome))];
        }
    }

    public async ValueTask DisposeAsync()
    {
        // One that did not start cannot be stopped.
        if (isStarted)
        {
            await host.StopAsync();
        }

        host.Dispose();
        listener.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private void Listen()
    {
        var factory = Get<IMeterFactory>();
        listener.InstrumentPublished = (instrument, me) =>
        {
            if (instrument.Meter.Name == "Microsoft.ML.KagPrompt" && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                me.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
    }

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string Tag(string name, ReadOnlySpan<KeyValuePair<string, object?>> among)
        {
            foreach (var (key, text) in among)
            {
                if (key == name)
                {
                    return $"{text}";
                }
            }

            return "";
        }

        lock (measured)
        {
            measured.Add((instrument.Name, value, Tag("product", tags), Tag("outcome", tags)));
        }
    }
}
