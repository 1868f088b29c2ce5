using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>What a key that writes may do.</summary>
internal static class RecordEndpoints
{
    public const int MostOfFeedback = 1 << 12;

    public static async Task<Accepted> Record(HttpRequest request, ResultRecorder recorder, KagPromptResultsOptions options, CancellationToken aborted)
    {
        var upload = await RecordedUpload.ReadAsync(request, options.MaxPictureBytes, aborted).ConfigureAwait(false);
        await recorder.RecordAsync(upload.Record, upload.Picture, cancellationToken: aborted).ConfigureAwait(false);
        // On disk; in the database a little later.
        return TypedResults.Accepted($"{request.PathBase}{request.Path}/{upload.Record.Id}");
    }

    public static async Task<Results<NoContent, ProblemHttpResult>> SetFeedback(Guid id, HttpRequest request, IResultStore store,
        CancellationToken aborted)
    {
        FeedbackBody? body;
        try
        {
            body = JsonSerializer.Deserialize<FeedbackBody>(
                await BoundedBody.ReadAsync(request.Body, MostOfFeedback, "Feedback", aborted).ConfigureAwait(false), JsonSerializerOptions.Web);
        }
        catch (JsonException fault)
        {
            throw new BadHttpRequestException(fault.Message, fault);
        }

        var by = body?.By ?? request.HttpContext.User.Identity!.Name!;
        return body is null ? throw new BadHttpRequestException("Expected a kind and who says it.")
            : await store.SetFeedbackAsync(id, body.Kind, by, aborted).ConfigureAwait(false) ? TypedResults.NoContent()
            : TypedResults.Problem("There is no such result, or none yet.", statusCode: StatusCodes.Status404NotFound);
    }
}
