using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>What a registry knows of a version. It never changes.</summary>
/// <remarks>Immutable.</remarks>
public sealed record ModelVersion
{
    /// <summary>The product.</summary>
    public required string Product { get; init; }

    /// <summary>Its name, unlike that of any other version of the product: time and hash.</summary>
    public required string Id { get; init; }

    /// <summary>Its files; the first is the model.</summary>
    public required IReadOnlyList<RecordedFile> Files { get; init; }

    /// <summary>When it was published.</summary>
    public required DateTimeOffset PublishedAt { get; init; }

    /// <summary>Who, from which photographs, why.</summary>
    public required ModelNotes Notes { get; init; }

    /// <summary>SHA-256 of the model's file, lower-case hexadecimal.</summary>
    [JsonIgnore]
    public string Sha256 => Files[0].Sha256;
}
