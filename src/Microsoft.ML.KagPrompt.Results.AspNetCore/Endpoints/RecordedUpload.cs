using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>A result as a form with two parts: "record", as JSON, and "picture", a file whose name is not looked at.</summary>
internal sealed record RecordedUpload(InspectionRecord Record, byte[] Picture)
{
    public const int MostOfARecord = 1 << 16;

    private const int MostOfABoundary = 70;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // A misspelt name is no value that was left out.
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <exception cref="BadHttpRequestException">It is no such form, or too long.</exception>
    public static async Task<RecordedUpload> ReadAsync(HttpRequest request, int mostOfAPicture, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= MostOfABoundary } boundary)
        {
            throw new BadHttpRequestException("Expected multipart/form-data with the parts record and picture.", StatusCodes.Status415UnsupportedMediaType);
        }

        var (record, picture) = ((InspectionRecord?)null, Array.Empty<byte>());
        try
        {
            var reader = new MultipartReader(boundary.ToString(), request.Body);
            while (await reader.ReadNextSectionAsync(cancellationToken).ConfigureAwait(false) is { } section)
            {
                switch (HeaderUtilities.RemoveQuotes(section.GetContentDispositionHeader()?.Name ?? "").ToString())
                {
                    case "record" when record is null:
                        record = JsonSerializer.Deserialize<InspectionRecord>(
                            await BoundedBody.ReadAsync(section.Body, MostOfARecord, "record", cancellationToken).ConfigureAwait(false), Json);
                        break;
                    case "picture" when picture.Length == 0:
                        picture = await BoundedBody.ReadAsync(section.Body, mostOfAPicture, "picture", cancellationToken).ConfigureAwait(false);
                        break;
                    default:
                        throw new BadHttpRequestException("Expected one part record and at most one part picture.");
                }
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidDataException || (fault is IOException and not BadHttpRequestException))
        {
            throw new BadHttpRequestException(fault is JsonException ? $"record: {fault.Message}" : "The form is broken off or damaged.", fault);
        }

        return record is not null ? new RecordedUpload(record, picture) : throw new BadHttpRequestException("The part record is missing.");
    }
}
