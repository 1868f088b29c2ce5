using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Persistence;

/// <summary>
/// A transformer's options as its zip holds them: <c>{"version":3,"sha256":"…","options":{…}}</c>, the hash being that of the options'
/// text.
/// </summary>
internal static class OptionsJson
{
    private const int CurrentVersion = 3;
    private const long Largest = 64 << 20;

    private static readonly string[] Parts = ["version", "sha256", "options"];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        MaxDepth = 16,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public static byte[] Write(KagPromptOptions options)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(options, Json);
        using var whole = new MemoryStream();
        using (var json = new Utf8JsonWriter(whole))
        {
            json.WriteStartObject();
            json.WriteNumber("version", CurrentVersion);
            json.WriteString("sha256", HashedText.HashOf(text));
            json.WritePropertyName("options");
            json.WriteRawValue(text);
            json.WriteEndObject();
        }

        return whole.ToArray();
    }

    /// <summary>Reads this version's, or the flat options of package 0.1.0.</summary>
    /// <exception cref="ModelFormatException">They are damaged, out of range, or of a newer version.</exception>
    public static KagPromptOptions Read(Stream source)
    {
        try
        {
            using var json = JsonDocument.Parse(ReadAll(source), new JsonDocumentOptions { MaxDepth = 16 });
            var root = json.RootElement;
            var names = root.EnumerateObject().Select(property => property.Name).ToArray();
            // One of these names is enough: a bit of another may be the damage.
            var options = names.Any(Parts.Contains) ? Current(root, names) : FlatKagPromptOptions.Parse(root);
            options.Validate();
            return options;
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or InvalidDataException or InvalidOperationException
            or FormatException or OverflowException or NotSupportedException or KeyNotFoundException or EndOfStreamException)
        {
            throw new ModelFormatException($"The model zip's options are damaged: {JsonFault.Describe(fault)} "
                + "Save or copy the zip again.", fault);
        }
    }

    private static KagPromptOptions Current(JsonElement root, string[] names)
    {
        if (!names.Order().SequenceEqual(Parts.Order()))
        {
            throw new JsonException($"expected {string.Join(", ", Parts)}, got {string.Join(", ", names.Take(8))}.");
        }

        var text = root.GetProperty("options").GetRawText();
        if (!HashedText.Has(System.Text.Encoding.UTF8.GetBytes(text), root.GetProperty("sha256").GetString()))
        {
            throw new JsonException("their SHA-256 is another than when they were saved.");
        }

        var version = root.GetProperty("version").GetInt32();
        return version == CurrentVersion ? JsonSerializer.Deserialize<KagPromptOptions>(text, Json) ?? throw new JsonException("null")
            : throw new ModelFormatException($"The model zip's options are of version {version}, "
                + $"this package reads versions up to {CurrentVersion}: a newer one wrote them. Update Microsoft.ML.KagPrompt.");
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
