using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Persistence;

/// <summary>
/// A transformer's options as its zip holds them: <c>{"version":3,"sha256":"…","options":{…}}</c>, the hash being that of the options'
/// text.
/// </summary>
internal static class HashedOptions
{
    private const long Largest = 64 << 20;

    private static readonly string[] Parts = ["version", "sha256", "options"];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        MaxDepth = 16,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public static byte[] Write<T>(T options, int version)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(options, Json);
        using var whole = new MemoryStream();
        using (var json = new Utf8JsonWriter(whole))
        {
            json.WriteStartObject();
            json.WriteNumber("version", version);
            json.WriteString("sha256", HashedText.HashOf(text));
            json.WritePropertyName("options");
            json.WriteRawValue(text);
            json.WriteEndObject();
        }

        return whole.ToArray();
    }

    /// <summary>Reads a whole JSON text and what it holds.</summary>
    /// <exception cref="ModelFormatException">It is damaged, out of range, or of a newer version.</exception>
    public static T Read<T>(Stream source, Func<JsonElement, T> read)
    {
        try
        {
            using var json = JsonDocument.Parse(ReadAll(source), new JsonDocumentOptions { MaxDepth = 16 });
            return read(json.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or InvalidDataException or InvalidOperationException
            or FormatException or OverflowException or NotSupportedException or KeyNotFoundException or EndOfStreamException)
        {
            throw new ModelFormatException($"The model zip's options are damaged: {JsonFault.Describe(fault)} "
                + "Save or copy the zip again.", fault);
        }
    }

    /// <summary>
    /// Whether a text has this form, or is to have it: one of its names is enough, since a bit of another may be the damage.
    /// </summary>
    public static bool AreIn(JsonElement root) => root.EnumerateObject().Any(property => Parts.Contains(property.Name));

    /// <summary>The options of a text of this form.</summary>
    /// <exception cref="JsonException">They are damaged.</exception>
    /// <exception cref="ModelFormatException">They are of a newer version.</exception>
    public static T Parse<T>(JsonElement root, int version, string package)
    {
        var names = root.EnumerateObject().Select(property => property.Name).ToArray();
        if (!names.Order().SequenceEqual(Parts.Order()))
        {
            throw new JsonException($"expected {string.Join(", ", Parts)}, got {string.Join(", ", names.Take(8))}.");
        }

        var text = root.GetProperty("options").GetRawText();
        if (!HashedText.Has(System.Text.Encoding.UTF8.GetBytes(text), root.GetProperty("sha256").GetString()))
        {
            throw new JsonException("their SHA-256 is another than when they were saved.");
        }

        var written = root.GetProperty("version").GetInt32();
        return written == version ? JsonSerializer.Deserialize<T>(text, Json) ?? throw new JsonException("null")
            : throw new ModelFormatException($"The model zip's options are of version {written}, "
                + $"this package reads versions up to {version}: a newer one wrote them. Update {package}.");
    }

    private static byte[] ReadAll(Stream source)
    {
        using var copy = new MemoryStream();
        var piece = new byte[1 << 16];
        for (int read; (read = source.Read(piece)) > 0;)
        {
            copy.Write(piece, 0, read);
            if (copy.Length > Largest)
            {
                throw new InvalidDataException($"expected at most {Largest} bytes.");
            }
        }

        return copy.ToArray();
    }
}
