using Microsoft.AspNetCore.Authorization;

namespace Microsoft.ML.KagPrompt.Station.Accounts;

/// <summary>With a one-time password nothing is let through but changing it.</summary>
internal static class PasswordGate
{
    public static IApplicationBuilder UsePasswordGate(this IApplicationBuilder station) => station.Use(async (context, next) =>
    {
        if (!context.User.HasClaim(StationClaims.MustChange, "true") || context.Request.Path == "/account"
            || context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            await next(context);
        }
        else if (HttpMethods.IsGet(context.Request.Method) && context.Request.Headers.Accept.ToString()
            .Contains("text/html", StringComparison.Ordinal))
        {
            context.Response.Redirect("/account");
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
        }
    });
}
