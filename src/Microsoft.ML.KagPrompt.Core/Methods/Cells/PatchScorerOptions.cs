using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>What methods share that give each patch one value, without training: how the values become map and score.</summary>
/// <remarks>Immutable; safe to share between threads. A patch is described by all of the backbone's taps, each at unit length,
/// joined.</remarks>
public abstract record PatchScorerOptions : MethodOptions
{
    private protected PatchScorerOptions() { }

    /// <summary>Standard deviation in pixels of the Gaussian that smooths the map, 0 (none) to 64.</summary>
    public float MapSigma { get; init; } = 4;

    /// <summary>
    /// The share of the patches, the most unusual, whose mean value is the image's score, above 0 to 1; at least one patch.
    /// </summary>
    public float TopShare { get; init; } = 0.01f;

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        faults
            .Require(MapSigma is >= 0 and <= 64, nameof(MapSigma), "0 to 64", MapSigma)
            .Require(TopShare is > 0 and <= 1, nameof(TopShare), "above 0 to 1", TopShare);
    }
}
