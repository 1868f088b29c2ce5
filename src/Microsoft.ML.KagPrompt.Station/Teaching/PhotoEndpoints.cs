using Microsoft.ML.KagPrompt.Station.Accounts;
using Microsoft.ML.KagPrompt.Station.Pictures;

namespace Microsoft.ML.KagPrompt.Station.Teaching;

/// <summary>Photographs for the pages, reduced.</summary>
internal static class PhotoEndpoints
{
    public static void MapPhotographs(this IEndpointRouteBuilder station)
        => station.MapGet("/photographs/{hash}", async (string hash, PhotoStore store, PictureDecoder decoder, HttpContext context,
            CancellationToken stop) =>
        {
            if (await store.FindAsync(hash, stop) is not { } file)
            {
                return Microsoft.AspNetCore.Http.Results.NotFound();
            }

            // What is named by its content never changes.
            context.Response.Headers.CacheControl = "private, max-age=86400";
            return Microsoft.AspNetCore.Http.Results.Bytes(ImageCodec.EncodeJpeg(await decoder.ReadAsync(file, stop)), "image/jpeg");
        }).RequireAuthorization(StationRoles.Engineer);
}
