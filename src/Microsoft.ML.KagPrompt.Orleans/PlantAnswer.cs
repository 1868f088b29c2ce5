namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>The verdict on a picture, and which machine and model made it.</summary>
/// <remarks>Immutable. The same for the same id, however often it is asked for, but for <see cref="IsStored"/>.</remarks>
[GenerateSerializer, Immutable, Alias("kagprompt.answer")]
public sealed record PlantAnswer
{
    /// <summary>The inspection.</summary>
    [Id(0)]
    public required Guid Id { get; init; }

    /// <summary>The line.</summary>
    [Id(1)]
    public required string Line { get; init; }

    /// <summary>The product that was inspected.</summary>
    [Id(2)]
    public required string Product { get; init; }

    /// <summary>Which version of its model decided.</summary>
    [Id(3)]
    public required string ModelVersion { get; init; }

    /// <summary>The score; higher is more anomalous.</summary>
    [Id(4)]
    public required float Score { get; init; }

    /// <summary>The threshold that was decided by; null: there was none.</summary>
    [Id(5)]
    public float? Threshold { get; init; }

    /// <summary>Chance of a defect, 0 to 1; null: cannot be told.</summary>
    [Id(6)]
    public float? Probability { get; init; }

    /// <summary>Whether the part is to be rejected.</summary>
    [Id(7)]
    public required bool IsAnomalous { get; init; }

    /// <summary>Whether the picture shows something else than the part.</summary>
    [Id(8)]
    public bool IsForeign { get; init; }

    /// <summary>Why it is rejected; null: it is not.</summary>
    [Id(9)]
    public string? Reason { get; init; }

    /// <summary>The silo that inspected it.</summary>
    [Id(10)]
    public required string Silo { get; init; }

    /// <summary>When it was inspected, in UTC.</summary>
    [Id(11)]
    public required DateTimeOffset Time { get; init; }

    /// <summary>
    /// Whether it is in the database that all silos share. False: the database is away, and it lies in that silo's journal on disk until
    /// it is back.
    /// </summary>
    [Id(12)]
    public bool IsStored { get; init; }
}
