namespace Microsoft.ML.KagPrompt.Orleans.Lines;

/// <summary>What is kept of a line.</summary>
[GenerateSerializer, Alias("kagprompt.line-state")]
internal sealed class LineState
{
    [Id(0)]
    public LineSettings? Settings { get; set; }

    /// <summary>Counted of results before this hour; they are not counted again.</summary>
    [Id(1)]
    public DateTimeOffset CountedTo { get; set; }

    [Id(2)]
    public LineCounts Counted { get; set; } = new();

    /// <summary>All of them, as last known: where the database is away.</summary>
    [Id(3)]
    public LineCounts Total { get; set; } = new();

    [Id(4)]
    public long Refused { get; set; }

    [Id(5)]
    public long Failed { get; set; }

    /// <summary>The last scores, oldest first.</summary>
    [Id(6)]
    public List<float> Recent { get; set; } = [];

    [Id(7)]
    public string? LastModelVersion { get; set; }
}

/// <summary>Answers of a line.</summary>
[GenerateSerializer, Immutable, Alias("kagprompt.line-counts")]
internal sealed record LineCounts
{
    [Id(0)]
    public long Answered { get; init; }

    [Id(1)]
    public long Anomalous { get; init; }

    [Id(2)]
    public long Foreign { get; init; }

    public LineCounts Plus(long answered, long anomalous, long foreign)
        => new() { Answered = Answered + answered, Anomalous = Anomalous + anomalous, Foreign = Foreign + foreign };
}
