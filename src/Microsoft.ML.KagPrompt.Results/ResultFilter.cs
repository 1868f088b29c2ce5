namespace Microsoft.ML.KagPrompt.Results;

/// <summary>Which results are meant; what is null is not asked for. The default is all of them.</summary>
/// <remarks>Immutable; thread-safe.</remarks>
public sealed record ResultFilter
{
    /// <summary>All results.</summary>
    public static ResultFilter All { get; } = new();

    /// <summary>The product's name, exactly.</summary>
    public string? Product { get; init; }

    /// <summary>Earliest time, inclusive.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Latest time, exclusive.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>How it was decided.</summary>
    public ResultVerdict? Verdict { get; init; }

    /// <summary>What was said of it last.</summary>
    public FeedbackKind? Feedback { get; init; }

    /// <summary>The line's name, exactly.</summary>
    public string? Line { get; init; }

    /// <summary>The station's name, exactly.</summary>
    public string? Station { get; init; }
}
