using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Which patches of which normal images a class remembers.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record MemoryOptions
{
    /// <summary>Most normal images a class, 1 to 10,000, that enter the memory bank where none is flagged as support.</summary>
    public int MaxSupportImages { get; init; } = 16;

    /// <summary>Whether supports enter the bank in all four 90° rotations; for parts that lie in any orientation.</summary>
    public bool RotateSupports { get; init; }

    /// <summary>What the memory bank holds.</summary>
    public MemoryFeatures Features { get; init; } = MemoryFeatures.Patch;

    internal void CollectFaults(OptionFaults faults, string group) => faults
        .Require(MaxSupportImages is >= 1 and <= 10_000, $"{group}.{nameof(MaxSupportImages)}", "1 to 10000", MaxSupportImages)
        .Require(Enum.IsDefined(Features), $"{group}.{nameof(Features)}", "a defined kind", Features);
}
