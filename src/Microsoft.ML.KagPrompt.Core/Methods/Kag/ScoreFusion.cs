using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// How maps and scores are put together (equations 14 and 16). Nothing in it needs another fit, but a <see cref="NearWeight"/> above 0
/// where the fit had 0, which kept no places.
/// </summary>
/// <remarks>Immutable, compared by value.</remarks>
public sealed record ScoreFusion
{
    /// <summary>Which branches take part.</summary>
    public ScoringBranches Branches { get; init; } = ScoringBranches.Both;

    /// <summary>γ in 0..1: weight of the prompt branch in map and score (equations 14 and 16).</summary>
    public float Gamma { get; init; } = 0.1f;

    /// <summary>
    /// k: how many of the map's largest values the image score averages, 1 to 50,176, counted on a 224 × 224 map (equation 16).
    /// The default is one percent of them; the paper takes 30.
    /// </summary>
    public int TopK { get; init; } = 502;

    /// <summary>
    /// Weight, 0 to 1, that the memory map gives to how far a patch lies from what the supports show in its own place (within two cells of
    /// 28), beside how far it lies from what they show anywhere. It holds where parts all lie alike; a fit finds out from two supports or
    /// more, and lessens it, down to 0, for parts that lie this way and that. With one support it is 0. The paper looks anywhere: 0.
    /// </summary>
    public float NearWeight { get; init; } = 0.5f;

    /// <summary>
    /// Share, 0 to 1, of the mean of its surroundings (a Gaussian window, σ = 12 pixels of 224) that is taken off each of the map's values
    /// before the image score averages the largest of them. A defect stands out from what is beside it; a whole region that is a little
    /// unlike the supports, by light or by where the part lies, counts for less. The map itself stays as it is. The paper: 0.
    /// </summary>
    public float LocalContrast { get; init; } = 0.4f;

    /// <summary>The paper's values, which its published code has too.</summary>
    public static ScoreFusion Paper { get; } = new() { Gamma = 0.1f, TopK = 30, NearWeight = 0, LocalContrast = 0 };

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate()
    {
        var faults = new OptionFaults();
        CollectFaults(faults, "");
        faults.ThrowIfAny(nameof(ScoreFusion));
    }

    internal void CollectFaults(OptionFaults faults, string prefix) => faults
        .Require(Enum.IsDefined(Branches), prefix + nameof(Branches), "defined branches", Branches)
        .Require(Gamma is >= 0 and <= 1, prefix + nameof(Gamma), "0 to 1", Gamma)
        .Require(TopK is >= 1 and <= 224 * 224, prefix + nameof(TopK), "1 to 50176", TopK)
        .Require(NearWeight is >= 0 and <= 1, prefix + nameof(NearWeight), "0 to 1", NearWeight)
        .Require(LocalContrast is >= 0 and <= 1, prefix + nameof(LocalContrast), "0 to 1", LocalContrast);
}
