using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Accounts;
using Microsoft.ML.KagPrompt.Station.Pictures;
using Microsoft.ML.KagPrompt.Station.Teaching;
using Answers = Microsoft.AspNetCore.Http.Results;

namespace Microsoft.ML.KagPrompt.Station.Lines;

/// <summary>Pictures and maps of results, for the pages.</summary>
internal static class ResultPictureEndpoints
{
    public static void MapResultPictures(this IEndpointRouteBuilder station)
    {
        var group = station.MapGroup("/results/{id:guid}").RequireAuthorization(StationRoles.Operator);
        group.MapGet("/picture", async (Guid id, LineService lines, IResultStore store, ResultPictures pictures, PictureDecoder decoder,
            HttpContext context,
            CancellationToken stop) =>
        {
            if (lines.Find(id) is { } live)
            {
                Keep(context);
                return Answers.Bytes(live.Picture, "image/jpeg");
            }

            if ((await store.FindAsync(id, stop))?.PictureHash is not { } hash
                || await pictures.ReadPictureAsync(hash, stop) is not { } file)
            {
                return Answers.NotFound();
            }

            Keep(context);
            return Answers.Bytes(ImageCodec.EncodeJpeg(await decoder.ReadAsync(file, stop)), "image/jpeg");
        });
        group.MapGet("/map", async (Guid id, LineService lines, IResultStore store, ResultPictures pictures, FactsStore facts,
            HttpContext context, CancellationToken stop) =>
        {
            if (lines.Find(id) is { } live)
            {
                Keep(context);
                return Answers.Bytes(live.Map, "image/png");
            }

            if (await store.FindAsync(id, stop) is not { MapHash: { } hash } result
                || await pictures.ReadMapAsync(hash, stop) is not { } map)
            {
                return Answers.NotFound();
            }

            Keep(context);
            return Answers.Bytes(InspectionPipeline.Overlay(facts.Find(result.Product, result.ModelVersion), map.Values.Span, map.Height,
                map.Width), "image/png");
        });
    }

    // A result never changes.
    private static void Keep(HttpContext context) => context.Response.Headers.CacheControl = "private, max-age=3600";
}
