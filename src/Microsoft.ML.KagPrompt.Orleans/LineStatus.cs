namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>How a line stands.</summary>
/// <remarks>Immutable; how it stood when it was asked for.</remarks>
[GenerateSerializer, Immutable, Alias("kagprompt.line-status")]
public sealed record LineStatus
{
    /// <summary>Its name.</summary>
    [Id(0)]
    public required string Line { get; init; }

    /// <summary>What it inspects; null: it was not set up.</summary>
    [Id(1)]
    public required LineSettings? Settings { get; init; }

    /// <summary>Pictures that were answered, each id once: as the database has them when they were last counted, and those since.</summary>
    [Id(2)]
    public long Answered { get; init; }

    /// <summary>Of these, parts that were rejected.</summary>
    [Id(3)]
    public long Anomalous { get; init; }

    /// <summary>Of these, pictures that showed something else.</summary>
    [Id(4)]
    public long Foreign { get; init; }

    /// <summary>Calls that were refused by every silo. After the end of a silo those of the last seconds may be missing.</summary>
    [Id(5)]
    public long Refused { get; init; }

    /// <summary>Calls that failed, likewise.</summary>
    [Id(6)]
    public long Failed { get; init; }

    /// <summary>Which version of the model answered last; null: none did.</summary>
    [Id(7)]
    public string? LastModelVersion { get; init; }

    /// <summary>Scores against the teaching's; null: there are no teaching scores, or too few pictures yet.</summary>
    [Id(8)]
    public ScoreDrift? Drift { get; init; }

    /// <summary>The silo that the line lives on.</summary>
    [Id(9)]
    public required string Silo { get; init; }
}
