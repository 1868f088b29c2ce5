using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;
using Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;
using Microsoft.ML.KagPrompt.Results.Files;
using Microsoft.ML.KagPrompt.Station.Teaching;
using Answers = Microsoft.AspNetCore.Http.Results;

namespace Microsoft.ML.KagPrompt.Station.Lines;

/// <summary>POST /api/inspect/{product}: a picture in, a verdict out, recorded like a line's.</summary>
internal static class InspectEndpoint
{
    public static void MapInspect(this IEndpointRouteBuilder station) => station.MapPost("/api/inspect/{product}", AnswerAsync)
        .RequireAuthorization(ApiKeyHandler.Write)
        .RequireRateLimiting("pictures")
        .AddEndpointFilter(station.ServiceProvider.GetRequiredService<RequestLimit>())
        .AddEndpointFilter(Refusals.Filter)
        .WithMetadata(new RequestSizeLimitAttribute(PhotoStore.MostBytes));

    private static async Task<IResult> AnswerAsync(string product, Guid? id, HttpContext context, InspectionPipeline pipeline,
        IResultStore store,
        TimeProvider time, CancellationToken stop)
    {
        var since = time.GetTimestamp();
        if (id is { Version: not 7 })
        {
            return Answers.Problem("id: expected a version 7 GUID.", statusCode: StatusCodes.Status400BadRequest);
        }

        using var memory = new MemoryStream();
        await context.Request.Body.CopyToAsync(memory, stop);
        var picture = memory.ToArray();
        // Asked again with its id, a picture is not inspected again. But no part may pass by the verdict on another.
        if (id is { } known && await store.FindAsync(known, stop) is { } before)
        {
            return before.Product == product && before.PictureHash == ContentHash.Compute(picture) ? Answer(before)
                : Answers.Problem($"id: {known} is of another picture or product. Expected a new id for each part.",
                    statusCode: StatusCodes.Status409Conflict);
        }

        try
        {
            return Answer((await pipeline.InspectAsync(picture, product, "api", id ?? InspectionRecord.NewId(time), since, stop)).Record);
        }
        catch (InspectionRefusedException refusal)
        {
            if (refusal.RetryAfter is { } after)
            {
                context.Response.Headers.RetryAfter = Math.Ceiling(after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            }

            return Answers.Problem(refusal.Message, statusCode: StatusOf(refusal.Reason));
        }
        catch (Exception fault) when (fault is ImageReadException or NotFiniteException)
        {
            return Answers.Problem(fault.Message, statusCode: StatusCodes.Status422UnprocessableEntity);
        }
    }

    internal static int StatusOf(RefusalReason reason) => reason switch
    {
        RefusalReason.ProductUnknown => StatusCodes.Status404NotFound,
        RefusalReason.QueueFull => StatusCodes.Status429TooManyRequests,
        _ => StatusCodes.Status503ServiceUnavailable,
    };

    private static IResult Answer(InspectionRecord record) => Answers.Json(new
    {
        record.Id,
        record.Product,
        record.ModelVersion,
        record.Score,
        record.Threshold,
        record.IsAnomalous,
        record.IsForeign,
        record.Reason,
        Milliseconds = record.CycleTime?.TotalMilliseconds,
    });
}
