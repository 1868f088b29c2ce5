using Microsoft.Extensions.Hosting;

namespace Microsoft.ML.KagPrompt.Orleans.Postgres;

/// <summary>Makes the tables before the silo looks for them.</summary>
internal sealed class PlantDatabaseStart(string connectionString) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => PlantDatabase.PrepareAsync(connectionString, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
