using System.Net;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.KagPrompt.Orleans;
using Microsoft.ML.KagPrompt.Orleans.Calling;
using Microsoft.ML.KagPrompt.Orleans.Lines;
using Microsoft.ML.KagPrompt.Orleans.Postgres;
using Microsoft.ML.KagPrompt.Orleans.Silos;
using Orleans.Configuration;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes a program a machine of a plant, or a client of one.</summary>
public static class KagPromptPlantHosting
{
    private static readonly TimeSpan ListRefresh = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Makes the program a silo: it joins the plant when the host starts, and inspects what lines send it. Call it last: it needs
    /// <c>AddKagPrompt</c> (what it inspects by) and <c>AddKagPromptResults</c> (where results go; one database for all silos), whose
    /// services start before it.
    /// </summary>
    /// <param name="builder">The program.</param>
    /// <param name="configure">Sets the options.</param>
    /// <exception cref="ArgumentException">Options out of range, all of them in one message.</exception>
    public static IHostApplicationBuilder AddKagPromptPlantSilo(this IHostApplicationBuilder builder, Action<PlantSiloOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new PlantSiloOptions();
        configure(options);
        options.Validate();
        if (options.PostgresConnectionString is { } connection)
        {
            builder.Services.AddSingleton<IHostedService>(new PlantDatabaseStart(connection));
        }

        return builder.UseOrleans(silo => Configure(silo, options));
    }

    /// <summary>Adds <see cref="IPlantClient"/>; it reaches the plant when the host starts, and waits for it there.</summary>
    /// <param name="builder">The program.</param>
    /// <param name="configure">Sets the options.</param>
    /// <exception cref="ArgumentException">Options out of range, all of them in one message.</exception>
    public static IHostApplicationBuilder AddKagPromptPlantClient(this IHostApplicationBuilder builder,
        Action<PlantClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new PlantClientOptions();
        configure(options);
        options.Validate();
        AddClient(builder.Services, options);
        return builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId));
            client.Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = ListRefresh);
            client.Configure<ClientMessagingOptions>(messages => messages.ResponseTimeout = options.TryTimeout);
            var until = DateTime.UtcNow + options.Timeout;
            client.UseConnectionRetryFilter(async (_, stop) =>
            {
                await Task.Delay(options.RetryDelay, stop).ConfigureAwait(false);
                return DateTime.UtcNow < until;
            });
            if (options.PostgresConnectionString is { } connection)
            {
                client.UseAdoNetClustering(ado => (ado.Invariant, ado.ConnectionString)
                    = (PlantDatabase.Invariant, PlantDatabase.InSchema(connection)));
            }
            else
            {
                client.UseStaticClustering([.. options.GatewayPorts.Select(port => new IPEndPoint(IPAddress.Loopback, port))]);
            }
        });
    }

    /// <summary>Lines, board and worker of a silo whose clustering is somebody else's.</summary>
    internal static void AddPlant(ISiloBuilder silo, PlantSiloOptions options)
    {
        silo.AddGrainService<SiloWorker>();
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton(options);
        silo.Services.AddSingleton<Workplace>();
        silo.Services.AddSingleton<ResultKeeper>();
        silo.Services.AddSingleton<LineCounter>();
        silo.Services.AddSingleton<SiloBoard>();
        silo.Services.AddSingleton<SiloWorkers>();
        silo.Services.AddSingleton<Dispatcher>();
        silo.Services.AddSingleton<SiloWatch>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<SiloWatch>());
        if (options.PictureFolder is { } folder)
        {
            silo.Services.AddSingleton<IPictureStore>(provider
                => new FolderPictureStore(folder, provider.GetRequiredService<TimeProvider>()));
        }
    }

    /// <summary>The client's own services.</summary>
    internal static void AddClient(IServiceCollection services, PlantClientOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<IPlantClient, PlantClient>();
        if (options.PictureFolder is { } folder)
        {
            services.AddSingleton<IPictureStore>(provider => new FolderPictureStore(folder, provider.GetRequiredService<TimeProvider>()));
        }
    }

    private static void Configure(ISiloBuilder silo, PlantSiloOptions options)
    {
        if (options.PostgresConnectionString is { } connection)
        {
            var mine = PlantDatabase.InSchema(connection);
            silo.UseAdoNetClustering(ado => (ado.Invariant, ado.ConnectionString) = (PlantDatabase.Invariant, mine));
            silo.AddAdoNetGrainStorage(LineGrain.Storage, ado => (ado.Invariant, ado.ConnectionString) = (PlantDatabase.Invariant, mine));
            if (options.Address is { } address)
            {
                silo.ConfigureEndpoints(address, options.SiloPort, options.GatewayPort, listenOnAnyHostAddress: true);
            }
            else
            {
                silo.ConfigureEndpoints(options.SiloPort, options.GatewayPort, listenOnAnyHostAddress: true);
            }
        }
        else
        {
            silo.UseLocalhostClustering(options.SiloPort, options.GatewayPort, new IPEndPoint(IPAddress.Loopback, options.PrimarySiloPort),
                options.ServiceId, options.ClusterId);
            silo.AddMemoryGrainStorage(LineGrain.Storage);
        }

        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId));
        silo.Configure<SiloOptions>(named => named.SiloName = options.Name);
        silo.Configure<ClusterMembershipOptions>(members =>
        {
            members.NumMissedProbesLimit = 3;
            members.ProbeTimeout = options.DeadAfter / members.NumMissedProbesLimit;
            members.TableRefreshTimeout = ListRefresh;
            members.IAmAliveTablePublishTimeout = ListRefresh;
        });
        silo.Configure<SiloMessagingOptions>(messages => messages.ResponseTimeout = options.WorkTimeout);
        AddPlant(silo, options);
    }
}
