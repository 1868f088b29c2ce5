using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Options;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Hosting;

namespace ScoringService;

/// <summary>POST /score.</summary>
internal static class Scoring
{
    /// <param name="request">Its body is the image.</param>
    /// <param name="product">Which product it shows; left out: the only one.</param>
    /// <param name="class">The former name of <paramref name="product"/>.</param>
    /// <param name="inspector">Inspects it.</param>
    /// <param name="models">What is served.</param>
    /// <param name="options">How long a body may be.</param>
    /// <param name="metrics">Told of every answer.</param>
    /// <param name="aborted">The client left.</param>
    public static async Task<IResult> AnswerAsync(HttpRequest request, string? product, string? @class, IInspector inspector,
        IModelHost models, IOptions<KagPromptHostingOptions> options, ServiceMetrics metrics, CancellationToken aborted)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var verdict = await inspector.InspectAsync(request.Body, product ?? @class ?? Only(models), aborted);
            metrics.Scored(verdict.IsAnomalous, Stopwatch.GetElapsedTime(started));
            return Results.Ok(Verdict.From(verdict));
        }
        catch (InspectionRefusedException refusal)
        {
            if (refusal.Reason != RefusalReason.ProductUnknown)
            {
                var wait = Math.Ceiling((refusal.RetryAfter ?? TimeSpan.FromSeconds(5)).TotalSeconds);
                request.HttpContext.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
            }

            return Refuse(refusal.Reason switch
            {
                RefusalReason.ProductUnknown => StatusCodes.Status400BadRequest,
                RefusalReason.QueueFull => StatusCodes.Status429TooManyRequests,
                _ => StatusCodes.Status503ServiceUnavailable,
            }, refusal.Message);
        }
        catch (BadHttpRequestException fault)
        {
            return Refuse(fault.StatusCode, fault.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? $"The image is larger than the {options.Value.MaxImageBytes} bytes this service takes (--max-bytes)."
                : fault.Message);
        }
        catch (Exception fault) when (fault is ImageReadException or ArgumentException)
        {
            return Refuse(StatusCodes.Status400BadRequest, fault.Message);
        }

        IResult Refuse(int status, string message)
        {
            metrics.Refused(status);
            return Results.Json(new { error = message }, statusCode: status);
        }
    }

    private static string Only(IModelHost models) => models.Products is [var only] ? only.Name
        : throw new ArgumentException($"product: expected the name of one of the {models.Products.Count} that are served, got none.");
}
