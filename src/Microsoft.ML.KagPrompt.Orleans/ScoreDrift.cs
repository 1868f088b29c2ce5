namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>The last scores of a line against those of its teaching.</summary>
/// <remarks>Immutable.</remarks>
[GenerateSerializer, Immutable, Alias("kagprompt.drift")]
public sealed record ScoreDrift
{
    /// <summary>Which quantiles: 0.1, 0.5 and 0.9.</summary>
    [Id(0)]
    public required IReadOnlyList<double> Shares { get; init; }

    /// <summary>The teaching scores' quantiles.</summary>
    [Id(1)]
    public required IReadOnlyList<double> Teaching { get; init; }

    /// <summary>The last scores' quantiles.</summary>
    [Id(2)]
    public required IReadOnlyList<double> Recent { get; init; }

    /// <summary>How many scores these are of.</summary>
    [Id(3)]
    public required int Count { get; init; }

    /// <summary>
    /// Whether the median lies further from the teaching's than four of its spreads (median absolute deviation × 1.4826, at least a
    /// twentieth of the median): not by chance.
    /// </summary>
    [Id(4)]
    public required bool HasDrifted { get; init; }
}
