using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Which patches of which normal images a class remembers.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record MemoryOptions
{
    /// <summary>Most normal images a class, 1 to 10,000, that enter the memory bank where none is flagged as support.</summary>
    public int MaxSupportImages { get; init; } = 16;

    /// <summary>
    /// As which pictures a support enters the bank. Few photographs show few of the ways in which grain, glare and edges may lie: turned
    /// and mirrored they show more. Where a part that lies the wrong way round is itself a defect, take <see cref="SupportViews.AsGiven"/>.
    /// </summary>
    public SupportViews Views { get; init; } = SupportViews.TurnedAndMirrored;

    /// <summary>
    /// Share of the patches of the turned and mirrored pictures that enters the bank, drawn at random, above 0 to 1; all of the picture as
    /// it is do. The default makes the bank of eight pictures twice as large as that of one.
    /// </summary>
    public float ViewShare { get; init; } = 1f / 7;

    /// <summary>What the memory bank holds.</summary>
    public MemoryFeatures Features { get; init; } = MemoryFeatures.Patch;

    internal void CollectFaults(OptionFaults faults, string group) => faults
        .Require(MaxSupportImages is >= 1 and <= 10_000, $"{group}.{nameof(MaxSupportImages)}", "1 to 10000", MaxSupportImages)
        .Require(Enum.IsDefined(Views), $"{group}.{nameof(Views)}", "a defined kind", Views)
        .Require(ViewShare is > 0 and <= 1, $"{group}.{nameof(ViewShare)}", "above 0 to 1", ViewShare)
        .Require(Enum.IsDefined(Features), $"{group}.{nameof(Features)}", "a defined kind", Features);
}
