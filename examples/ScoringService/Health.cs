using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.ML.KagPrompt.Hosting;

namespace ScoringService;

/// <summary>GET /healthz: 200 where images can be scored, else 503; with the version that serves each product.</summary>
internal static class Health
{
    public static async Task<IResult> AnswerAsync(HealthCheckService checks, IModelHost models, CancellationToken aborted)
    {
        var report = await checks.CheckHealthAsync(aborted);
        var (status, code) = report.Status switch
        {
            HealthStatus.Healthy => ("ok", StatusCodes.Status200OK),
            HealthStatus.Degraded => ("degraded", StatusCodes.Status200OK),
            _ => ("unhealthy", StatusCodes.Status503ServiceUnavailable),
        };
        var products = models.Products.Select(product => new { product.Name, product.Version, product.Waiting });
        return Results.Json(new { status, products, reason = report.Status == HealthStatus.Healthy ? null : report.Entries["kagprompt"].Description },
            statusCode: code);
    }
}
