using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Constraints;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.AspNetCore;
using Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;
using Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds what serves inspection results.</summary>
public static class KagPromptResultsApiServices
{
    /// <summary>
    /// Adds what <see cref="Microsoft.AspNetCore.Builder.KagPromptResultsEndpoints.MapKagPromptResults"/> needs: <see cref="ApiKeys"/>, an
    /// authentication scheme and two policies of its own, limits, and the OpenAPI document "kagprompt-results". Needs
    /// <see cref="KagPromptResultsServices.AddKagPromptResults"/>.
    /// </summary>
    /// <param name="services">Added to.</param>
    /// <param name="configure">Changes the defaults; null: nothing.</param>
    /// <exception cref="ArgumentException">Options out of range, all of them in one message.</exception>
    public static IServiceCollection AddKagPromptResultsApi(this IServiceCollection services,
        Action<KagPromptResultsApiOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = new KagPromptResultsApiOptions();
        configure?.Invoke(options);
        options.Validate();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(provider => new ApiKeys(
            options.KeyFile ?? Path.Combine(provider.GetRequiredService<KagPromptResultsOptions>().Folder, "api-keys.json"),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<RequestLimit>();
        services.AddSingleton<WrongKeyLimit>();
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, null);
        services.AddAuthorizationBuilder()
            .AddPolicy(ApiKeyHandler.Read, policy => policy.AddAuthenticationSchemes(ApiKeyHandler.SchemeName)
                .RequireClaim(ApiKeyHandler.KeyId))
            .AddPolicy(ApiKeyHandler.Write, policy => policy.AddAuthenticationSchemes(ApiKeyHandler.SchemeName)
                .RequireClaim(ApiKeyHandler.KeyId).RequireClaim(ClaimTypes.Role, nameof(ApiKeyRole.Write)));
        services.AddOpenApi(ApiDescription.DocumentName, ApiDescription.Describe);

        // The description's route asks for its own document only, by an expression; a slim host leaves expressions out.
        services.Configure<RouteOptions>(options => options.SetParameterPolicy<RegexInlineRouteConstraint>("regex"));
        return services;
    }
}
