using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Hosting.Serving;
using Microsoft.ML.KagPrompt.Hosting.Telemetry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The way in: <c>services.AddKagPrompt(...)</c>.</summary>
public static class KagPromptServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="IInspector"/> and <see cref="IModelHost"/>, and a hosted service that loads the products before the program takes
    /// requests, follows the registry where there is one, and lets queued requests be answered when the program stops.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options; they are checked when the host starts.</param>
    /// <returns>For loaders and a registry. At least one loader is needed.</returns>
    public static KagPromptBuilder AddKagPrompt(this IServiceCollection services, Action<KagPromptHostingOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddMetrics();
        services.AddOptions<KagPromptHostingOptions>().Configure(configure ?? (_ => { })).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<KagPromptHostingOptions>, HostingOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<HostingMetrics>();
        services.TryAddSingleton<PictureReader>();
        services.TryAddSingleton<ModelHost>();
        services.TryAddSingleton<IModelHost>(provider => provider.GetRequiredService<ModelHost>());
        services.TryAddSingleton<IInspector, Inspector>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, KagPromptService>());
        return new(services);
    }

    /// <summary>
    /// Adds a check that is healthy while every product has a model and its last batch did not fail by a fault of the process; degraded
    /// where a newer model could not be loaded and the one before serves.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">What the check is called.</param>
    /// <param name="tags">Tags to choose checks by.</param>
    public static IHealthChecksBuilder AddKagPrompt(this IHealthChecksBuilder builder, string name = "kagprompt", IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddCheck<KagPromptHealthCheck>(name, HealthStatus.Unhealthy, tags ?? []);
    }
}
