using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;
using Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps what serves inspection results.</summary>
public static class KagPromptResultsEndpoints
{
    /// <summary>
    /// Maps, below a prefix: health; results (query, find, record, export, counts, quantiles), their pictures, maps and feedback;
    /// openapi/kagprompt-results.json. All but health need an API key; recording and feedback need one that writes.
    /// </summary>
    /// <param name="endpoints">Mapped on. The program authenticates and authorises, as a WebApplication does by itself.</param>
    /// <param name="prefix">What paths begin with, as "/api".</param>
    /// <returns>The group, for what the program adds to all of them.</returns>
    public static RouteGroupBuilder MapKagPromptResults(this IEndpointRouteBuilder endpoints, string prefix)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        var services = endpoints.ServiceProvider;
        var results = services.GetRequiredService<KagPromptResultsOptions>();
        var all = endpoints.MapGroup(prefix).WithGroupName(ApiDescription.DocumentName);
        all.MapGet("/health", HealthEndpoint.Get).AllowAnonymous().WithSummary("Whether results are taken. Needs no key.");

        var limit = services.GetRequiredService<RequestLimit>();
        var keyed = all.MapGroup("").AddEndpointFilter(limit).AddEndpointFilter(Refusals.Filter);
        var reading = keyed.MapGroup("/results").RequireAuthorization(ApiKeyHandler.Read);
        reading.MapGet("", ResultEndpoints.Query).WithSummary("A page of results.");
        reading.MapGet("/{id:guid}", ResultEndpoints.Find).WithSummary("One result.");
        reading.MapGet("/{id:guid}/picture", ResultEndpoints.Picture).WithSummary("Its picture, as it was recorded.");
        reading.MapGet("/{id:guid}/map", ResultEndpoints.Map).WithSummary("Its map: NumPy's .npy of half precision, in gzip.");
        reading.MapGet("/{id:guid}/feedback", ResultEndpoints.History).WithSummary("All that was said of it.");
        reading.MapGet("/count-by-hour", ResultEndpoints.CountByHour).WithSummary("How many results each hour had, in UTC.");
        reading.MapGet("/quantiles", ResultEndpoints.Quantiles).WithSummary("Quantiles of the scores.");
        reading.MapGet("/export", ResultEndpoints.Export).WithSummary("All results of a filter, as CSV or JSON lines.");

        var writing = keyed.MapGroup("/results").RequireAuthorization(ApiKeyHandler.Write);
        writing.MapPost("", RecordEndpoints.Record).WithSummary("Records a result. Repeated with the same id it counts once.")
            .WithMetadata(new RequestSizeLimitAttribute(results.MaxPictureBytes + (2L * RecordedUpload.MostOfARecord)))
            .AddOpenApiOperationTransformer((operation, _, _) => ApiDescription.DescribeUpload(operation));
        writing.MapPut("/{id:guid}/feedback", RecordEndpoints.SetFeedback).WithSummary("Says something of a result.")
            .WithMetadata(new RequestSizeLimitAttribute(RecordEndpoints.MostOfFeedback)).Accepts<FeedbackBody>("application/json");

        keyed.MapOpenApi("/openapi/{documentName:regex(^kagprompt-results$)}.json").RequireAuthorization(ApiKeyHandler.Read);
        return all;
    }
}
