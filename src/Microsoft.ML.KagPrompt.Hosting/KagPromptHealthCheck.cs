using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>Looks at every product.</summary>
internal sealed class KagPromptHealthCheck(IModelHost host) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var products = host.Products;
        var failed = products.Where(product => product.Version is null || product.ScoringFault is not null).ToArray();
        var stale = products.Where(product => product.LoadFault is not null).ToArray();
        var data = products.ToDictionary(product => product.Name, product => (object)(product.Version ?? "no model"));
        return Task.FromResult(
            failed.Length > 0 ? new HealthCheckResult(context.Registration.FailureStatus, Describe(failed), data: data)
            : stale.Length > 0 ? HealthCheckResult.Degraded(Describe(stale), data: data)
            : HealthCheckResult.Healthy($"{products.Count} products", data));
    }

    private static string Describe(IEnumerable<HostedProduct> products) => string.Join("; ", products.Select(product
        => $"'{product.Name}': {product.ScoringFault ?? product.LoadFault ?? "no model is loaded"}"));
}
