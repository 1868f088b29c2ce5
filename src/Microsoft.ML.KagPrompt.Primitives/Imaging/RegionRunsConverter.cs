using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>
/// A region within saved options: <c>{"width":W,"height":H,"shape":true,"runs":[left out, inspected, left out, …]}</c>,
/// pixels in turn, row by row.
/// </summary>
internal sealed class RegionRunsConverter : JsonConverter<InspectionRegion>
{
    public override InspectionRegion Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var stored = JsonSerializer.Deserialize<Stored>(ref reader, options) ?? throw new JsonException("expected a region, got null.");
        try
        {
            return InspectionRegion.FromRuns(stored.Width, stored.Height, [.. stored.Runs], stored.Shape);
        }
        catch (ArgumentException fault)
        {
            throw new JsonException(fault.Message, fault);
        }
    }

    public override void Write(Utf8JsonWriter writer, InspectionRegion value, JsonSerializerOptions options)
        => JsonSerializer.Serialize(writer, new Stored(value.Width, value.Height, value.HasShape, value.Runs), options);

    private sealed record Stored(int Width, int Height, bool Shape, IReadOnlyList<int> Runs);
}
