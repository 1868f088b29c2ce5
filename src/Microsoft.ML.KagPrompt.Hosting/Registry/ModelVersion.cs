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
    [System.Text.Json.Serialization.JsonIgnore]
    public string Sha256 => Files[0].Sha256;
}

/// <summary>A file as it was recorded.</summary>
/// <param name="Name">Its name, without a folder.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
/// <remarks>Immutable.</remarks>
public sealed record RecordedFile(string Name, string Sha256)
{
    /// <summary>A file's name and hash.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public static RecordedFile Of(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        return new(Path.GetFileName(path), Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file)));
    }
}
