namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>A row of the table of all that was said; none is ever changed.</summary>
internal sealed class FeedbackRow
{
    /// <summary>Given by the database.</summary>
    public long Id { get; init; }

    public Guid ResultId { get; init; }

    public FeedbackKind Kind { get; init; }

    public required string By { get; init; }

    /// <summary>UTC.</summary>
    public DateTime At { get; init; }
}
