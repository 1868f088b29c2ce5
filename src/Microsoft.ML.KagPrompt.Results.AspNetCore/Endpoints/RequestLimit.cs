using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>So many requests a minute with each key. A filter and not a middleware: no program can forget to use it.</summary>
internal sealed class RequestLimit : IEndpointFilter, IDisposable
{
    private readonly PartitionedRateLimiter<string> limiter;

    public RequestLimit(KagPromptResultsApiOptions options)
        => limiter = PartitionedRateLimiter.Create<string, string>(key => RateLimitPartition.GetTokenBucketLimiter(key, _ => new()
        {
            TokenLimit = options.RequestsPerMinute,
            TokensPerPeriod = options.RequestsPerMinute,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1),
        }));

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        using var lease = limiter.AttemptAcquire(context.HttpContext.User.FindFirst(ApiKeyHandler.KeyId)!.Value);
        if (lease.IsAcquired)
        {
            return await next(context).ConfigureAwait(false);
        }

        if (lease.TryGetMetadata(MetadataName.RetryAfter, out var after))
        {
            context.HttpContext.Response.Headers.RetryAfter = Math.Ceiling(after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return TypedResults.Problem("Too many requests with this key.", statusCode: StatusCodes.Status429TooManyRequests);
    }

    public void Dispose() => limiter.Dispose();
}
