using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.SubspaceAd;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// SubspaceAD's residual: how far each patch lies from the subspace that the support patches span (principal components about their mean).
/// </summary>
/// <remarks>
/// Immutable; safe to share between threads. A class keeps a mean and a basis, no patches: a model stays small however many supports there
/// are, and cannot tell an image that does not show the part (<see cref="Inspection.Unlikeness"/> is NaN).
/// </remarks>
public sealed record SubspaceOptions : PatchScorerOptions
{
    internal const string MethodName = "subspacead";

    /// <summary>Supports are taken turned, with all their patches.</summary>
    public SubspaceOptions() => Memory = new() { Views = SupportViews.Turned, ViewShare = 1 };

    /// <summary>Share of the support patches' variance that the subspace keeps, above 0, below 1.</summary>
    public float Variance { get; init; } = 0.95f;

    internal override IInspectionMethod Create(MethodStart start) => new SubspaceScorer(this, start.Sizes);

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => new SubspaceScorer(this, sizes);

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        faults.Require(Variance is > 0 and < 1, nameof(Variance), "above 0, below 1", Variance);
    }
}
