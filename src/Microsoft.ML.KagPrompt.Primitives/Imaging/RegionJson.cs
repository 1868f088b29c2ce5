using System.Text.Json;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>A region as people and drawing programs write it.</summary>
internal static class RegionJson
{
    /// <summary>Longest text, in bytes: 10,000 points with room for their spaces.</summary>
    public const int MostBytes = 4 << 20;

    private const string Form = """{"width":W,"height":H,"inspect":[[[x,y],…],…],"ignore":[[[x,y],…],…]}""";

    private static readonly string[] Names = ["width", "height", "inspect", "ignore"];

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>Reads what <see cref="InspectionRegion.FromJson"/> documents.</summary>
    /// <exception cref="ImageReadException">It is none.</exception>
    public static InspectionRegion Parse(ReadOnlyMemory<byte> utf8, string origin)
    {
        if (utf8.Length > MostBytes)
        {
            throw new ImageReadException($"{origin} has {utf8.Length} bytes: expected at most {MostBytes}. "
                + "Draw it with fewer points, or give a picture.");
        }

        try
        {
            // A byte order mark is a text's, not JSON's.
            using var json = JsonDocument.Parse(utf8.Span.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8, Strict);
            return Read(json.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or InvalidOperationException or FormatException)
        {
            throw new ImageReadException($"{origin} marks no region. {fault.Message} "
                + $"Expected {Form}, or without width and height for points in shares of the sides.", fault);
        }
    }

    private static InspectionRegion Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || root.EnumerateObject().Any(property => !Names.Contains(property.Name)))
        {
            var names = root.ValueKind == JsonValueKind.Object ? root.EnumerateObject().Take(8).Select(property => $"'{property.Name}'")
                : [root.ValueKind.ToString()];
            throw new JsonException($"Expected an object of width, height, inspect and ignore, got {string.Join(", ", names)}.");
        }

        var (inspect, ignore) = (Polygons(root, "inspect"), Polygons(root, "ignore"));
        if (inspect.Length + ignore.Length == 0)
        {
            throw new JsonException("Expected a polygon in inspect or ignore, got none.");
        }

        return (Side(root, "width"), Side(root, "height")) switch
        {
            (null, null) => InspectionRegion.FromShares(inspect, ignore),
            ({ } width, { } height) => InspectionRegion.FromPolygons(width, height, inspect, ignore),
            _ => throw new JsonException("Expected width and height, or neither, got one of them."),
        };
    }

    private static int? Side(JsonElement root, string name) => !root.TryGetProperty(name, out var side) ? null
        : IsNumber(side) && side.TryGetInt32(out var pixels) ? pixels
        : throw new JsonException($"{name}: expected a whole number of pixels, got {Shown(side)}.");

    private static (double X, double Y)[][] Polygons(JsonElement root, string name) => !root.TryGetProperty(name, out var polygons) ? []
        : [.. Items(polygons, name).Select((polygon, i) => Polygon(polygon, $"{name}[{i}]"))];

    private static (double X, double Y)[] Polygon(JsonElement polygon, string name)
        => [.. Items(polygon, name).Select((point, i) => Point(point, $"{name}[{i}]"))];

    private static (double X, double Y) Point(JsonElement point, string name)
        => point.ValueKind == JsonValueKind.Array && point.GetArrayLength() == 2 && point.EnumerateArray().All(IsNumber)
            ? (point[0].GetDouble(), point[1].GetDouble())
            : throw new JsonException($"{name}: expected a point [x, y], got {Shown(point)}.");

    private static bool IsNumber(JsonElement value) => value.ValueKind == JsonValueKind.Number;

    private static JsonElement.ArrayEnumerator Items(JsonElement list, string name)
        => list.ValueKind == JsonValueKind.Array ? list.EnumerateArray()
            : throw new JsonException($"{name}: expected a list, got {Shown(list)}.");

    private static string Shown(JsonElement element) => element.GetRawText() is { Length: <= 40 } text ? text
        : $"{element.GetRawText()[..40]}…";
}
