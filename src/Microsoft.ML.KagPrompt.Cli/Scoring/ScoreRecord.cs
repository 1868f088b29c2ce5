using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>A scored image as it is written: the same names in JSON lines, CSV and tables.</summary>
internal sealed record ScoreRecord
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // A region's probability may be unknown, where the threshold rests on a single image.
        Converters = { new KnownNumbers() },
        // Paths and messages stay readable; the output is not embedded in HTML.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly string[] header = ["image", "class", "anomalous", "score", "threshold", "probability", "regions", "error"];
    private static readonly string[] details = ["foreign", "unlikeness", "reason"];

    /// <summary>
    /// Of tables and CSV; what a later version has to add stands in the details, so that whoever reads columns by number goes on.
    /// </summary>
    public static IReadOnlyList<string> Header(bool withDetails) => withDetails ? [.. header, .. details] : header;

    public required string Image { get; init; }

    public required string Class { get; init; }

    /// <summary>Null where the image could not be scored, or there is no threshold to decide by.</summary>
    public bool? Anomalous { get; init; }

    public float? Score { get; init; }

    public float? Threshold { get; init; }

    /// <summary>The score's; null where it is unknown, and of a foreign image, of which the score says nothing.</summary>
    public float? Probability { get; init; }

    /// <summary>Size of the map, in which regions are given.</summary>
    public int? Width { get; init; }

    public int? Height { get; init; }

    public IReadOnlyList<AnomalyRegion>? Regions { get; init; }

    /// <summary>The map's files without extension; null where none were asked for.</summary>
    public string? Map { get; init; }

    public string? Error { get; init; }

    /// <summary>Whether it is unlike every support image; null where it could not be scored.</summary>
    public bool? Foreign { get; init; }

    /// <summary>How much of the support images it lacks, 0 to 2.</summary>
    public float? Unlikeness { get; init; }

    /// <summary>Why it is anomalous; null where it is not.</summary>
    public string? Reason { get; init; }

    public static ScoreRecord From(ScoredImage scored, string? map) => scored.Fault is not null
        ? new() { Image = scored.Image.Path, Class = scored.Image.ClassName, Error = scored.Fault }
        : new()
        {
            Image = scored.Image.Path,
            Class = scored.Image.ClassName,
            Anomalous = scored.IsUndecided ? null : scored.IsAnomalous,
            Score = scored.Score,
            Threshold = Known(scored.Calibration.Threshold),
            Probability = scored.IsForeign ? null : Known(scored.Probability),
            Width = scored.Width,
            Height = scored.Height,
            Regions = [.. AnomalyRegions.Find(scored.Map, scored.Width, scored.Height, scored.Calibration)],
            Map = map,
            Error = scored.IsUndecided
                ? $"no decision: the model has no threshold for class '{scored.Image.ClassName}'; give --threshold, "
                    + "or fit with another normal image"
                : null,
            Foreign = scored.IsForeign,
            Unlikeness = Known(scored.Unlikeness),
            Reason = scored.Reason,
        };

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>What stands below <see cref="Header"/>.</summary>
    public IReadOnlyList<string> Cells(bool withDetails)
    {
        string[] cells = [Image, Class, Text(Anomalous), Text(Score), Text(Threshold), Text(Probability),
            Regions?.Count.ToString(CultureInfo.InvariantCulture) ?? "", Error ?? ""];
        return withDetails ? [.. cells, Text(Foreign), Text(Unlikeness), Reason ?? ""] : cells;
    }

    // JSON knows no NaN.
    private static float? Known(float value) => float.IsFinite(value) ? value : null;

    /// <summary>JSON has no NaN: such a number is null, never a text.</summary>
    private sealed class KnownNumbers : JsonConverter<float>
    {
        public override float Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
            => reader.TokenType == JsonTokenType.Null ? float.NaN : reader.GetSingle();

        public override void Write(Utf8JsonWriter writer, float value, JsonSerializerOptions options)
        {
            if (float.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                writer.WriteNullValue();
            }
        }
    }

    private static string Text(bool? value) => value switch { true => "yes", false => "no", null => "" };

    private static string Text(float? value) => value?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "";
}
