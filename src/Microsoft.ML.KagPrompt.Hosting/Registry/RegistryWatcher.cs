using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Hosting.Serving;

namespace Microsoft.ML.KagPrompt.Hosting.Registry;

/// <summary>Has the host serve what is active in a registry. Not thread-safe: one check at a time.</summary>
internal sealed partial class RegistryWatcher(IModelRegistry registry, ModelHost host, KagPromptHostingOptions options, TimeProvider time,
    ILogger log)
{
    // What failed may have lacked memory, or a disk: it is tried again, but not with every look.
    private static readonly TimeSpan TriedAgainAfter = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, string> served = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Version, long At)> failed = new(StringComparer.Ordinal);

    /// <summary>Looks again and again, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(options.RegistryInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
            {
                await CheckAsync(stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to end.
        }
    }

    /// <summary>Looks once: loads, swaps and unloads. What fails is noted of its product and logged.</summary>
    public async Task CheckAsync(CancellationToken stop)
    {
        IReadOnlyList<string> products;
        try
        {
            products = await registry.ListProductsAsync(stop).ConfigureAwait(false);
        }
        catch (Exception fault) when (!stop.IsCancellationRequested)
        {
            LogUnreadable(fault);
            return;
        }

        foreach (var product in products.Where(product => !options.Products.ContainsKey(product)))
        {
            try
            {
                await CheckAsync(product, stop).ConfigureAwait(false);
            }
            catch (Exception fault) when (!stop.IsCancellationRequested)
            {
                // Of a registry that cannot be read; a model that cannot be loaded is noted where it happens.
                LogProduct(product, fault);
            }
        }

        foreach (var gone in served.Keys.Union(failed.Keys).Except(products).ToArray())
        {
            Unload(gone);
        }
    }

    private async Task CheckAsync(string product, CancellationToken stop)
    {
        ModelVersion? active;
        try
        {
            active = await registry.GetActiveAsync(product, stop).ConfigureAwait(false);
        }
        catch (ModelFormatException fault)
        {
            NoteOnce(product, "", fault);
            return;
        }

        if (active is null)
        {
            Unload(product);
            return;
        }

        if (served.GetValueOrDefault(product) == active.Id)
        {
            // Another one that failed was active for a while.
            if (failed.Remove(product))
            {
                host.ForgetFault(product);
            }

            return;
        }

        if (IsTooSoon(product, active.Id))
        {
            return;
        }

        string path;
        try
        {
            path = await registry.FetchAsync(active, stop).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is ModelFormatException or IOException or UnauthorizedAccessException)
        {
            NoteOnce(product, active.Id, fault);
            return;
        }

        try
        {
            var source = new ModelSource(product, path) { ClassName = active.Notes.ClassName, Version = active.Id };
            await host.SwapAsync(source, stop).ConfigureAwait(false);
            served[product] = active.Id;
            failed.Remove(product);
        }
        catch (Exception) when (!stop.IsCancellationRequested)
        {
            failed[product] = (active.Id, time.GetTimestamp());
        }
    }

    private void Unload(string product)
    {
        if (failed.Remove(product) | served.Remove(product))
        {
            // Its last requests are not waited for: other products are to be looked at.
            _ = host.UnloadAsync(product);
        }
    }

    private bool IsTooSoon(string product, string version) => failed.TryGetValue(product, out var last) && last.Version == version
        && time.GetElapsedTime(last.At) < TriedAgainAfter;

    private void NoteOnce(string product, string version, Exception fault)
    {
        if (!IsTooSoon(product, version))
        {
            failed[product] = (version, time.GetTimestamp());
            host.NoteFault(product, fault);
        }
    }

    [LoggerMessage(LogLevel.Error, "The registry cannot be read; what is served goes on.")]
    private partial void LogUnreadable(Exception fault);

    [LoggerMessage(LogLevel.Error, "Product {Product} of the registry cannot be looked at; what is served goes on.")]
    private partial void LogProduct(string product, Exception fault);
}
