using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Orleans.Tests.Servers;

/// <summary>Silos and a client in this process, as programs make them; in a folder of their own.</summary>
internal sealed class TestPlant : IAsyncDisposable
{
    public const int QueueCapacity = 8;

    private readonly string? postgres;
    private readonly string root = Directory.CreateTempSubdirectory("kagprompt-plant-").FullName;
    private readonly int[] ports;
    private readonly Action<PlantClientOptions>? asked;
    private IHost? client;

    private TestPlant(int silos, string? postgres, Action<PlantClientOptions>? asked)
        => (this.postgres, this.asked, ports, Silos, Paces)
            = (postgres, asked, FreePorts(2 * silos), new IHost?[silos], [.. Enumerable.Range(0, silos).Select(_ => new Pace())]);

    public IHost?[] Silos { get; }

    public Pace[] Paces { get; }

    public IPlantClient Client => client!.Services.GetRequiredService<IPlantClient>();

    public IPictureStore Pictures => client!.Services.GetRequiredService<IPictureStore>();

    /// <summary>The database of all silos.</summary>
    public IResultStore Store => Silos.First(silo => silo is not null)!.Services.GetRequiredService<IResultStore>();

    public static async Task<TestPlant> StartAsync(int silos, string? postgres = null, Action<PlantClientOptions>? client = null)
    {
        var plant = new TestPlant(silos, postgres, client);
        for (var i = 0; i < silos; i++)
        {
            await plant.StartSiloAsync(i);
        }

        plant.client = plant.MakeClient();
        await plant.client.StartAsync();
        // Every silo knows every other, and what it holds.
        for (var tries = 0; (await plant.Client.GetSilosAsync()).Count < silos; tries++)
        {
            tries.Should().BeLessThan(100, "silos must find one another");
            await Task.Delay(100);
        }

        return plant;
    }

    /// <summary>"part" is on every silo; "rare" on the last alone.</summary>
    public async Task StartSiloAsync(int i)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging(log => log.ClearProviders());
        builder.Services.AddKagPrompt(options =>
        {
            (options.QueueCapacity, options.MaxBatchSize) = (QueueCapacity, 2);
            options.Products["part"] = new() { Path = ModelFile() };
            if (i == Silos.Length - 1)
            {
                options.Products["rare"] = new() { Path = ModelFile() };
            }
        }).AddLoader(new PlantLoader(Paces[i]));
        builder.Services.AddKagPromptResults(options =>
        {
            options.Folder = Path.Combine(root, $"silo{i}");
            (options.SqlitePath, options.PostgresConnectionString) = (postgres is null ? Path.Combine(root, "results.db") : null, postgres);
        });
        builder.AddKagPromptPlantSilo(options =>
        {
            options.PostgresConnectionString = postgres;
            (options.SiloName, options.SiloPort, options.GatewayPort) = (NameOf(i), ports[2 * i], ports[(2 * i) + 1]);
            (options.PrimarySiloPort, options.Address) = (ports[0], IPAddress.Loopback);
            options.PictureFolder = Path.Combine(root, "pictures");
            options.StoredWithin = TimeSpan.FromSeconds(20);
            (options.WorkTimeout, options.DeadAfter) = (TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(3));
            (options.StatusInterval, options.SaveInterval) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200));
        });
        Silos[i] = builder.Build();
        await Silos[i]!.StartAsync();
    }

    /// <summary>Lets go of a silo: in order, or without a word to the others.</summary>
    public async Task StopSiloAsync(int i, bool inOrder = true)
    {
        var silo = Silos[i]!;
        Silos[i] = null;
        using var over = new CancellationTokenSource();
        if (!inOrder)
        {
            await over.CancelAsync();
        }

        try
        {
            await silo.StopAsync(over.Token);
        }
        catch (OperationCanceledException)
        {
            // As asked for.
        }

        await ((IAsyncDisposable)silo).DisposeAsync();
    }

    public static string NameOf(int silo) => $"silo-{silo}";

    public async Task<PictureReference> PictureAsync(byte level)
        => await Pictures.AddAsync(ImageCodec.EncodePng(TestPictures.Plain(PlantModel.Side, PlantModel.Side, level)));

    public async Task<PlantAnswer> InspectAsync(string line, byte level, Guid? id = null)
        => await Client.InspectAsync(line, await PictureAsync(level), id ?? InspectionRecord.NewId());

    public async Task<List<StoredResult>> StoredAsync(string line)
    {
        var results = new List<StoredResult>();
        await foreach (var result in Store.StreamAsync(new ResultFilter { Line = line }))
        {
            results.Add(result);
        }

        return results;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pace in Paces)
        {
            pace.Release();
        }

        if (client is not null)
        {
            await client.StopAsync();
            await ((IAsyncDisposable)client).DisposeAsync();
        }

        // The first one last: the others ask it who is there.
        for (var i = Silos.Length - 1; i >= 0; i--)
        {
            if (Silos[i] is not null)
            {
                await StopSiloAsync(i);
            }
        }

        Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(root, recursive: true);
    }

    private IHost MakeClient()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.AddKagPromptPlantClient(options =>
        {
            options.PostgresConnectionString = postgres;
            options.GatewayPorts = [.. Enumerable.Range(0, Silos.Length).Select(i => ports[(2 * i) + 1])];
            options.PictureFolder = Path.Combine(root, "pictures");
            (options.TryTimeout, options.Timeout) = (TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(30));
            asked?.Invoke(options);
        });
        return builder.Build();
    }

    private string ModelFile()
    {
        var path = Path.Combine(root, "model.plant");
        File.WriteAllText(path, "PLANT");
        return path;
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners)
        {
            listener.Start();
        }

        int[] found = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        foreach (var listener in listeners)
        {
            listener.Stop();
        }

        return found;
    }
}

/// <summary>Three silos that tests share, which leave them as they were.</summary>
public sealed class SharedPlant : IAsyncLifetime
{
    internal TestPlant Plant { get; private set; } = null!;

    public async Task InitializeAsync() => Plant = await TestPlant.StartAsync(3);

    public async Task DisposeAsync() => await Plant.DisposeAsync();
}
