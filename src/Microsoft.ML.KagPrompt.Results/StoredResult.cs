namespace Microsoft.ML.KagPrompt.Results;

/// <summary>A result as the database has it.</summary>
/// <remarks>Immutable; thread-safe.</remarks>
public sealed record StoredResult : InspectionRecord
{
    /// <summary>SHA-256 of the picture's bytes, 64 hexadecimal digits in small letters; null: recorded without one.</summary>
    public string? PictureHash { get; init; }

    /// <summary>SHA-256 of the stored map file, likewise; null: recorded without one.</summary>
    public string? MapHash { get; init; }

    /// <summary>What a person said last; <see cref="FeedbackKind.None"/>: nothing.</summary>
    public FeedbackKind Feedback { get; init; }

    /// <summary>Who said it; null: nobody.</summary>
    public string? FeedbackBy { get; init; }

    /// <summary>When, in UTC; null: never.</summary>
    public DateTimeOffset? FeedbackAt { get; init; }
}
