using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>Files of strangers as answers that no browser runs.</summary>
internal static class PictureAnswer
{
    public static IResult Picture(HttpResponse response, byte[] bytes, string hash)
    {
        var (type, extension) = ImageFormats.NameOf(bytes) switch
        {
            "PNG" => ("image/png", ".png"),
            "JPEG" => ("image/jpeg", ".jpg"),
            "BMP" => ("image/bmp", ".bmp"),
            "WebP" => ("image/webp", ".webp"),
            "GIF" => ("image/gif", ".gif"),
            _ => ("application/octet-stream", ".bin"),
        };
        return File(response, bytes, hash, type, extension);
    }

    public static IResult Map(HttpResponse response, byte[] bytes, string hash) => File(response, bytes, hash, "application/gzip", ".npy.gz");

    private static IResult File(HttpResponse response, byte[] bytes, string hash, string type, string extension)
    {
        // The type is told by the bytes and is an image's or none; nothing may guess another, or run what is in it.
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        response.Headers.CacheControl = "private, max-age=31536000, immutable";
        return TypedResults.File(bytes, type, hash[..16] + extension, entityTag: new EntityTagHeaderValue($"\"{hash}\""));
    }
}
