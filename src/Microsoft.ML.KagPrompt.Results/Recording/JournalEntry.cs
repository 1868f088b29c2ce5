using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Results.Recording;

/// <summary>What the journal holds of a result: the record, and where its files are.</summary>
internal sealed record JournalEntry(InspectionRecord Record, string? PictureHash, string? MapHash)
{
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, JournalJson.Default.JournalEntry);

    public static JournalEntry Parse(ReadOnlySpan<byte> bytes)
        => JsonSerializer.Deserialize(bytes, JournalJson.Default.JournalEntry) ?? throw new JsonException("The entry is null.");
}

[JsonSerializable(typeof(JournalEntry))]
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class JournalJson : JsonSerializerContext;
