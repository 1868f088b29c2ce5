using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Teaching;

namespace Microsoft.ML.KagPrompt.Station.Improving;

/// <summary>A part whose verdict would be another one.</summary>
internal sealed record ChangedVerdict(StoredResult Before, float Score, bool IsAnomalous);

/// <summary>A model that is not taken over yet, held against what was inspected last.</summary>
internal sealed record Candidate
{
    public required string Product { get; init; }

    /// <summary>The version that it would follow.</summary>
    public required string BaseVersion { get; init; }

    /// <summary>What it changes, in words, for the version's comment.</summary>
    public required string Comment { get; init; }

    public required string By { get; init; }

    public required string ModelPath { get; init; }

    public required ModelFacts Facts { get; init; }

    /// <summary>Parts that were inspected again.</summary>
    public required int Compared { get; init; }

    /// <summary>Parts whose pictures are deleted or damaged since, or that it cannot read.</summary>
    public required int NotCompared { get; init; }

    /// <summary>Pictures that were chosen and are gone since, or of which nothing is said any more.</summary>
    public required int LeftOut { get; init; }

    public required IReadOnlyList<ChangedVerdict> Changes { get; init; }
}
