using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.ML.KagPrompt.Hosting.Telemetry;

namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>The products' lanes, and what goes into them.</summary>
internal sealed partial class ModelHost : IModelHost, IDisposable
{
    private readonly ConcurrentDictionary<string, Lane> lanes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> faults = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim loading = new(1);
    private readonly CancellationTokenSource abort = new();
    private readonly Lock sync = new();
    private readonly IInspectionModelLoader[] loaders;
    private readonly KagPromptHostingOptions options;
    private readonly HostingMetrics metrics;
    private readonly TimeProvider time;
    private readonly ILogger<ModelHost> log;
    // What was unloaded and still answers.
    private Task leaving = Task.CompletedTask;
    private bool isStopping;

    public ModelHost(IEnumerable<IInspectionModelLoader> loaders, IOptions<KagPromptHostingOptions> options, HostingMetrics metrics,
        TimeProvider time, ILogger<ModelHost> log)
    {
        (this.loaders, this.options, this.metrics, this.time, this.log) = ([.. loaders], options.Value, metrics, time, log);
        metrics.ObserveQueues(() => lanes.Values.Select(lane => (lane.Product, lane.Waiting)));
    }

    /// <summary>Cancelled when the time for stopping is over.</summary>
    public CancellationToken Aborted => abort.Token;

    public IReadOnlyList<HostedProduct> Products =>
    [
        .. lanes.Keys.Union(faults.Keys).Order(StringComparer.Ordinal).Select(product =>
        {
            var lane = lanes.GetValueOrDefault(product);
            var (version, fault) = lane?.State ?? default;
            return new HostedProduct(product, version, lane?.Waiting ?? 0, faults.GetValueOrDefault(product), fault);
        }),
    ];

    /// <summary>Where a product's requests go.</summary>
    /// <param name="product">As the client names it.</param>
    /// <param name="known">The name where the product is served: what clients send must not become labels of metrics.</param>
    /// <exception cref="InspectionRefusedException">Nowhere.</exception>
    public Lane LaneOf(string product, out string? known)
    {
        known = null;
        if (!lanes.TryGetValue(product, out var lane))
        {
            throw Volatile.Read(ref isStopping) ? Refusals.Stopping()
                : faults.ContainsKey(product) ? Refusals.ModelUnavailable(product) : Refusals.ProductUnknown(product);
        }

        known = lane.Product;
        return lane;
    }

    public async Task SwapAsync(ModelSource source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        SafeName.Require(source.Product, nameof(source.Product));
        ArgumentException.ThrowIfNullOrEmpty(source.Path);
        await loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref isStopping), this);
            var (model, version) = await ModelLoading.LoadAsync(source, loaders, abort.Token).ConfigureAwait(false);
            TakeOver(source.Product, model, version, cancellationToken);
            faults.TryRemove(source.Product, out _);
            metrics.Swapped(source.Product, "swapped");
            LogSwapped(source.Product, version);
        }
        catch (Exception fault) when (fault is not (OperationCanceledException or ObjectDisposedException))
        {
            NoteFault(source.Product, fault);
            throw;
        }
        finally
        {
            loading.Release();
        }
    }

    public async Task UnloadAsync(string product, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(product);
        faults.TryRemove(product, out _);
        Lane? lane;
        lock (sync)
        {
            // Not between the look of one who swaps and its taking over; and a stop waits for it, too.
            if (lanes.TryRemove(product, out lane))
            {
                leaving = Task.WhenAll(leaving, lane.EndedAsync());
            }
        }

        if (lane is not null)
        {
            lane.Close(RefusalReason.ProductUnknown);
            metrics.Swapped(product, "unloaded");
            LogUnloaded(product);
            await lane.EndedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Notes why a product's newest model does not serve it.</summary>
    public void NoteFault(string product, Exception fault)
    {
        faults[product] = fault.Message;
        metrics.Swapped(product, "failed");
        LogFailed(product, fault);
    }

    /// <summary>The model that serves the product is the one that should.</summary>
    public void ForgetFault(string product) => faults.TryRemove(product, out _);

    /// <summary>Refuses new requests; those accepted go on.</summary>
    public void StopAccepting()
    {
        lock (sync)
        {
            isStopping = true;
        }

        foreach (var lane in lanes.Values)
        {
            lane.Close(RefusalReason.Stopping);
        }
    }

    /// <summary>Waits until what was accepted is answered; refuses the rest when the time is over.</summary>
    public async Task StopAsync(CancellationToken timeIsOver)
    {
        StopAccepting();
        var ended = Task.WhenAll([leaving, .. lanes.Values.Select(lane => lane.EndedAsync())]);
        await ended.WaitAsync(timeIsOver).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // What computes cannot be broken off; its model goes when it is done.
        await abort.CancelAsync().ConfigureAwait(false);
    }

    public void Dispose()
    {
        StopAccepting();
        abort.Cancel();
    }

    private void TakeOver(string product, IInspectionModel model, string version, CancellationToken cancellation)
    {
        var served = new ServedModel(
            product, model, version, options, metrics, time, fault => LogUndisposed(product, version, fault), abort.Token);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            lock (sync)
            {
                ObjectDisposedException.ThrowIf(isStopping, this);
                // One that was unloaded meanwhile is closed: its place is taken anew.
                if (!lanes.TryGetValue(product, out var lane) || !lane.TrySwap(served))
                {
                    lanes[product] = new(product, served, options.QueueCapacity);
                }
            }
        }
        catch
        {
            served.Dispose();
            throw;
        }
    }

    [LoggerMessage(LogLevel.Information, "Product {Product}: model {Version} has taken over.")]
    private partial void LogSwapped(string product, string version);

    [LoggerMessage(LogLevel.Information, "Product {Product} is unloaded.")]
    private partial void LogUnloaded(string product);

    [LoggerMessage(LogLevel.Error, "Product {Product}: model {Version} is used no more and could not be disposed; what it holds may stay.")]
    private partial void LogUndisposed(string product, string version, Exception fault);

    [LoggerMessage(LogLevel.Error, "Product {Product}: the new model was not taken over; what served before goes on.")]
    private partial void LogFailed(string product, Exception fault);
}
