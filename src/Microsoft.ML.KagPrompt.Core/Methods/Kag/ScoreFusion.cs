using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt;

/// <summary>How maps and scores are put together (equations 14 and 16). Nothing in it needs another fit.</summary>
/// <remarks>Immutable, compared by value.</remarks>
public sealed record ScoreFusion
{
    /// <summary>Which branches take part.</summary>
    public ScoringBranches Branches { get; init; } = ScoringBranches.Both;

    /// <inheritdoc cref="InspectionOptions.Gamma"/>
    public float Gamma { get; init; } = 0.1f;

    /// <inheritdoc cref="InspectionOptions.TopK"/>
    public int TopK { get; init; } = 30;

    /// <summary>What these options ask for.</summary>
    public static ScoreFusion Of(InspectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new() { Gamma = options.Gamma, TopK = options.TopK };
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate() => new OptionFaults()
        .Require(Enum.IsDefined(Branches), nameof(Branches), "defined branches", Branches)
        .Require(Gamma is >= 0 and <= 1, nameof(Gamma), "0 to 1", Gamma)
        .Require(TopK is >= 1 and <= 224 * 224, nameof(TopK), "1 to 50176", TopK)
        .ThrowIfAny(nameof(ScoreFusion));
}
