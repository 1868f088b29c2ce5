using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.AnomalyDino;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// AnomalyDINO's rule (Damm et al., WACV 2025): cosine distance of each patch to the nearest normal one; score: mean of the largest
/// percent.
/// </summary>
/// <remarks>Immutable; safe to share between threads. The rule alone: on any backbone, without the paper's masking of the
/// background.</remarks>
public sealed record AnomalyDinoOptions : PatchScorerOptions
{
    internal const string MethodName = "anomalydino";

    /// <summary>Supports enter the bank turned, with all their patches.</summary>
    public AnomalyDinoOptions() => Memory = new() { Views = SupportViews.Turned, ViewShare = 1 };

    internal override IInspectionMethod Create(MethodStart start) => new NearestScorer(this, start.Sizes);

    internal override IInspectionMethod Read(MethodSizes sizes, ITensorSource weights) => new NearestScorer(this, sizes);
}
