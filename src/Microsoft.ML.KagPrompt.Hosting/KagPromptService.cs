using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.ML.KagPrompt.Hosting.Registry;
using Microsoft.ML.KagPrompt.Hosting.Serving;

namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>
/// Loads before the program takes requests, follows the registry, and stops in order: refuse new requests, answer those accepted, let go of
/// the models.
/// </summary>
internal sealed class KagPromptService(ModelHost host, IOptions<KagPromptHostingOptions> options, TimeProvider time,
    ILogger<KagPromptService> log, IModelRegistry? registry = null) : IHostedLifecycleService
{
    private readonly CancellationTokenSource stop = new();
    private Task watching = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var (product, file) in options.Value.Products)
        {
            await host.SwapAsync(new(product, file.Path) { ClassName = file.ClassName }, cancellationToken).ConfigureAwait(false);
        }

        if (registry is not null)
        {
            var watcher = new RegistryWatcher(registry, host, options.Value, time, log);
            await watcher.CheckAsync(cancellationToken).ConfigureAwait(false);
            watching = watcher.RunAsync(stop.Token);
        }
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        host.StopAccepting();
        return stop.CancelAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await host.StopAsync(cancellationToken).ConfigureAwait(false);
        await watching.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
