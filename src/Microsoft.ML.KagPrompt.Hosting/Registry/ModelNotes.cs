namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>What people want to know of a version later.</summary>
/// <remarks>Immutable.</remarks>
public sealed record ModelNotes
{
    /// <summary>Who published it.</summary>
    public required string By { get; init; }

    /// <summary>Why, and what is new.</summary>
    public string Comment { get; init; } = "";

    /// <summary>Which class of the file the product is; null: its only one.</summary>
    public string? ClassName { get; init; }

    /// <summary>The photographs it was fitted on: <see cref="RecordedFile.Read"/> each.</summary>
    public IReadOnlyList<RecordedFile> Photographs { get; init; } = [];
}
