using System.ComponentModel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>What a key that reads may ask.</summary>
internal static class ResultEndpoints
{
    public static async Task<Ok<ResultPage>> Query([AsParameters] FilterParameters filter, IResultStore store, CancellationToken aborted,
        [Description("Newest, Oldest or WorstFirst.")] ResultOrder order = ResultOrder.Newest,
        [Description("1 to 1000.")] int pageSize = 100,
        [Description("The next of the page before.")] string? after = null)
        => TypedResults.Ok(await store.QueryAsync(filter.ToFilter(), order, pageSize, after, aborted).ConfigureAwait(false));

    public static async Task<Results<Ok<StoredResult>, ProblemHttpResult>> Find(Guid id, IResultStore store, CancellationToken aborted)
        => await store.FindAsync(id, aborted).ConfigureAwait(false) is { } found ? TypedResults.Ok(found) : NotThere();

    public static async Task<IResult> Picture(Guid id, IResultStore store, ResultPictures pictures, HttpResponse response, CancellationToken aborted)
        => await store.FindAsync(id, aborted).ConfigureAwait(false) is { PictureHash: { } hash }
            && await pictures.ReadPictureAsync(hash, aborted).ConfigureAwait(false) is { } bytes
                ? PictureAnswer.Picture(response, bytes, hash) : NotThere();

    public static async Task<IResult> Map(Guid id, IResultStore store, ResultPictures pictures, HttpResponse response, CancellationToken aborted)
        => await store.FindAsync(id, aborted).ConfigureAwait(false) is { MapHash: { } hash }
            && await pictures.ReadMapFileAsync(hash, aborted).ConfigureAwait(false) is { } bytes
                ? PictureAnswer.Map(response, bytes, hash) : NotThere();

    public static async Task<Ok<IReadOnlyList<FeedbackEntry>>> History(Guid id, IResultStore store, CancellationToken aborted)
        => TypedResults.Ok(await store.FeedbackHistoryAsync(id, aborted).ConfigureAwait(false));

    public static async Task<Ok<IReadOnlyList<HourlyCount>>> CountByHour([AsParameters] FilterParameters filter, IResultStore store,
        CancellationToken aborted)
        => TypedResults.Ok(await store.CountByHourAsync(filter.ToFilter(), aborted).ConfigureAwait(false));

    public static async Task<Ok<IReadOnlyList<double>>> Quantiles([AsParameters] FilterParameters filter,
        [Description("Shares, 0 to 1, one after the other: q=0.5&q=0.9.")] double[] q, IResultStore store, CancellationToken aborted)
        => TypedResults.Ok(await store.QuantilesAsync(filter.ToFilter(), q, aborted).ConfigureAwait(false));

    public static async Task<IResult> Export([AsParameters] FilterParameters filter, IResultStore store, HttpResponse response,
        CancellationToken aborted, [Description("csv or jsonl.")] string format = "csv")
    {
        if (format is not ("csv" or "jsonl"))
        {
            throw new ArgumentException("Format: expected csv or jsonl.", nameof(format));
        }

        // A database that is away shows here, and not after half an answer.
        await store.QueryAsync(filter.ToFilter(), pageSize: 1, cancellationToken: aborted).ConfigureAwait(false);
        response.ContentType = format == "csv" ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8";
        response.Headers.ContentDisposition = $"attachment; filename=results.{format}";
        response.Headers.XContentTypeOptions = "nosniff";
        var results = store.StreamAsync(filter.ToFilter(), ResultOrder.Oldest, aborted);
        await (format == "csv" ? ResultExport.WriteCsvAsync(results, response.Body, aborted)
            : ResultExport.WriteJsonLinesAsync(results, response.Body, aborted)).ConfigureAwait(false);
        return TypedResults.Empty;
    }

    private static ProblemHttpResult NotThere()
        => TypedResults.Problem("There is no such thing, or none yet: what was just recorded may wait for the database.", statusCode: StatusCodes.Status404NotFound);
}
