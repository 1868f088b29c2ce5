using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.PatchCore;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// PatchCore's own choices (Roth et al., CVPR 2022): embeddings of 3 × 3 patches of two stages, a bank of them, and the distance to it.
/// As in the authors' code, but that few supports' patches all enter the bank.
/// </summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record PatchCoreOptions : MethodOptions
{
    internal const string MethodName = "patchcore";

    /// <summary>The defaults; supports enter the bank as they are, unturned.</summary>
    public PatchCoreOptions() => Memory = new() { Views = SupportViews.AsGiven };

    /// <summary>
    /// Stages of the backbone that are used, counted from 1, ascending; patches lie on the grid of the first. Null: 2 and 3. Of a
    /// backbone without stages, a transformer say, its taps.
    /// </summary>
    public IReadOnlyList<int>? Layers { get; init => field = value is null ? null : Array.AsReadOnly(value.ToArray()); }

    /// <summary>Numbers D that the 3 × 3 block of each stage is averaged to, 1 to 16,384.</summary>
    public int StageWidth { get; init; } = 1024;

    /// <summary>Numbers T of a patch's embedding, to which those of all stages are averaged, 1 to 16,384.</summary>
    public int EmbeddingWidth { get; init; } = 1024;

    /// <summary>How the bank is thinned. The default keeps all patches, as is right for few supports.</summary>
    public CoresetKind Coreset { get; init; } = CoresetKind.None;

    /// <summary>Share of the patches that a coreset keeps, above 0 to 1, rounded down, at least one.</summary>
    public float CoresetShare { get; init; } = 0.1f;

    /// <summary>Numbers that patches are projected to at random while a coreset is chosen, 1 to 16,384; null: none.</summary>
    public int? ProjectionWidth { get; init; } = 128;

    /// <summary>Seed of the projection and of the rows that the approximate coreset starts from.</summary>
    public int CoresetSeed { get; init; }

    /// <summary>Patches of the bank whose mean distance is a patch's score, 1 to 1,000.</summary>
    public int Neighbours { get; init; } = 1;

    /// <summary>How distances become scores.</summary>
    public PatchCoreScoring Scoring { get; init; } = PatchCoreScoring.Published;

    /// <summary>
    /// Patches b of the bank beside the nearest one that <see cref="PatchCoreScoring.Paper"/> weights an image's score by, itself
    /// included, 2 to 1,000.
    /// </summary>
    public int Neighbourhood { get; init; } = 9;

    internal override IInspectionMethod Create(MethodStart start) => new PatchCoreMethod(this, start.Sizes);

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => new PatchCoreMethod(this, sizes);

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        faults
            .Require(Layers is null
                || (Layers.Count is >= 1 and <= 4 && Layers[0] >= 1 && Layers.Zip(Layers.Skip(1)).All(pair => pair.First < pair.Second)),
                nameof(Layers), "one to four stages, ascending from 1, or null", Layers is null ? null : string.Join(", ", Layers))
            .Require(StageWidth is >= 1 and <= 16384, nameof(StageWidth), "1 to 16384", StageWidth)
            .Require(EmbeddingWidth is >= 1 and <= 16384, nameof(EmbeddingWidth), "1 to 16384", EmbeddingWidth)
            .Require(Enum.IsDefined(Coreset), nameof(Coreset), "a defined kind", Coreset)
            .Require(CoresetShare is > 0 and <= 1, nameof(CoresetShare), "above 0 to 1", CoresetShare)
            .Require(ProjectionWidth is null or (>= 1 and <= 16384), nameof(ProjectionWidth), "1 to 16384, or null", ProjectionWidth)
            .Require(Neighbours is >= 1 and <= 1000, nameof(Neighbours), "1 to 1000", Neighbours)
            .Require(Enum.IsDefined(Scoring), nameof(Scoring), "a defined kind", Scoring)
            .Require(Neighbourhood is >= 2 and <= 1000, nameof(Neighbourhood), "2 to 1000", Neighbourhood);
    }
}
