using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Where the decision threshold is placed.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record ThresholdOptions
{
    /// <summary>By what it is placed.</summary>
    public ThresholdChoice By { get; init; } = ThresholdChoice.Auto;

    /// <summary>Share of normal parts, in (0, 0.5], that it may reject where it is placed by that share.</summary>
    public float FalseRejectRate { get; init; } = 0.12f;

    internal void CollectFaults(OptionFaults faults, string group) => faults
        .Require(Enum.IsDefined(By), $"{group}.{nameof(By)}", "a defined choice", By)
        .Require(FalseRejectRate is > 0 and <= 0.5f, $"{group}.{nameof(FalseRejectRate)}", "above 0, at most 0.5", FalseRejectRate);
}
