using System.Globalization;
using Microsoft.ML.KagPrompt.Calibration;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// How a class's decision threshold came about, and what may be expected of it.
/// It rests on scores alone and is kept apart from the weights.
/// </summary>
/// <remarks>Immutable.</remarks>
public sealed record ThresholdCalibration
{
    /// <summary>Method of a threshold the user set.</summary>
    internal const string SetByUser = "set by the user";

    /// <summary>How much of the possible rates <see cref="FalseRejectRate"/>'s interval holds.</summary>
    public const double Confidence = 0.9;

    /// <summary>What the threshold was computed from, in words.</summary>
    public required string Method { get; init; }

    /// <summary>Scores above it are called anomalous; NaN: nothing to compute it from.</summary>
    public required float Threshold { get; init; }

    /// <summary>
    /// Map values above it are drawn and counted as defective: the same rule on the mean of each map's largest values, k of equation (16).
    /// Equal to <see cref="Threshold"/> where the memory bank alone scores. NaN: nothing to compute it from.
    /// </summary>
    public required float MapThreshold { get; init; }

    /// <summary>Score distance over which the odds of <see cref="ProbabilityOf"/> change by e; NaN where it cannot be told.</summary>
    public required float Scale { get; init; }

    /// <summary>Images in the memory bank.</summary>
    public required int SupportImages { get; init; }

    /// <summary>
    /// Scores of normal images that the bank did not know (each support that has no copy among them against the others,
    /// and normal images beside them), ascending.
    /// </summary>
    public required IReadOnlyList<float> NormalScores { get; init => field = Own(value); }

    /// <summary>Scores of labelled defects, ascending.</summary>
    public IReadOnlyList<float> AnomalousScores { get; init => field = Own(value); } = [];

    /// <summary>Scores of synthetic defects on normal images that the bank did not know, ascending.</summary>
    public IReadOnlyList<float> SyntheticScores { get; init => field = Own(value); } = [];

    /// <summary>
    /// The scores that normal parts are expected to have; null where there are many normal scores, which speak for themselves,
    /// and in models of package 0.1.0.
    /// </summary>
    public NormalScoreModel? ScoreModel { get; init; }

    /// <summary>Images of a larger <see cref="Inspection.Unlikeness"/> are called foreign, whatever their score; NaN: none is.</summary>
    public float UnlikenessLimit { get; init; } = float.NaN;

    /// <summary>What is doubtful about the support images, in sentences: one unlike the others, the same picture twice.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// Which support scores highest against the others, in a sentence: no fault, but where to look first. Null with fewer than four.
    /// </summary>
    public string? FarthestSupport { get; init; }

    /// <summary>
    /// Share of normal parts that the threshold may be expected to reject, with the shortest interval that holds the true share
    /// with 90 % confidence: by <see cref="ScoreModel"/> where there is one. Else whatever the scores' distribution:
    /// at the r-th of n normal scores the share has a Beta(n + 1 − r, r) distribution; between two scores it lies between theirs.
    /// NaN and [0, 1] where nothing tells it.
    /// </summary>
    public (double Expected, double Low, double High) FalseRejectRate
    {
        get
        {
            if (ScoreModel is not null)
            {
                return ScoreModel.RejectRate(Threshold);
            }

            if (NormalScores.Count < 2 || float.IsNaN(Threshold))
            {
                return (double.NaN, 0, 1);
            }

            var below = NormalScores.Count(score => score <= Threshold);
            return RejectRate.Estimate(NormalScores.Count, below, between: !NormalScores.Contains(Threshold));
        }
    }

    /// <summary>
    /// Share of the synthetic defects that the threshold finds, in 0..1; NaN where there are none. Real defects may be harder to find.
    /// </summary>
    public double SyntheticDefectsFound => SyntheticScores.Count == 0 || float.IsNaN(Threshold)
        ? double.NaN
        : (double)SyntheticScores.Count(score => score > Threshold) / SyntheticScores.Count;

    /// <summary>
    /// Chance that a score means a defect, in 0..1: 0.5 at the threshold, rising with the score. It weighs sound and defective parts alike;
    /// how frequent defects are is not known here.
    /// </summary>
    public float ProbabilityOf(float score) => 1 / (1 + MathF.Exp(-(score - Threshold) / Scale));

    /// <summary>As <see cref="ProbabilityOf"/>, for a value of the map: 0.5 at <see cref="MapThreshold"/>.</summary>
    public float ProbabilityOfMap(float value) => 1 / (1 + MathF.Exp(-(value - MapThreshold) / Scale));

    /// <summary>Whether an image of that unlikeness is foreign: not this part, or no proper picture of it.</summary>
    public bool IsForeign(float unlikeness) => unlikeness > UnlikenessLimit;

    /// <summary>The verdict: whether the score exceeds the threshold, or the image is foreign.</summary>
    /// <remarks>Written so that an image is never passed by a threshold that is not a number.</remarks>
    public bool IsAnomalous(float score, float unlikeness) => !(score <= Threshold) || IsForeign(unlikeness);

    /// <summary>Everything above in sentences.</summary>
    public string Explanation
    {
        get
        {
            var (expected, low, high) = FalseRejectRate;
            var rests = $"It rests on {NormalScores.Count} normal score(s)"
                + (AnomalousScores.Count > 0 ? $", {AnomalousScores.Count} of labelled defects" : "")
                + (SyntheticScores.Count > 0 ? $", {SyntheticScores.Count} of synthetic defects" : "")
                + $"; {SupportImages} image(s) are in the memory bank.";
            var rate = double.IsNaN(expected) ? "How many normal parts it rejects is not known."
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"It may be expected to reject {100 * expected:0.#} % of normal parts "
                        + $"(with 90 % confidence {100 * low:0.#} to {100 * high:0.#} %).");
            var found = double.IsNaN(SyntheticDefectsFound) ? ""
                : string.Create(CultureInfo.InvariantCulture, $" It finds {100 * SyntheticDefectsFound:0} % of the synthetic defects.");
            var foreign = float.IsNaN(UnlikenessLimit) ? "Images that do not show the part cannot be told from those that do."
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"An image of unlikeness above {UnlikenessLimit:0.0000} does not show the part: it is called anomalous.");
            var supports = string.Join(' ', new[] { foreign, FarthestSupport }.OfType<string>().Concat(Warnings));
            return string.Create(CultureInfo.InvariantCulture, $"Threshold {Threshold:0.0000}: {Method}. {rests} {rate}{found} {supports}");
        }
    }

    /// <summary>
    /// A copy that nobody can change, neither who made it nor who is handed it. A damaged file's null stays one, to be refused by name.
    /// </summary>
    private static IReadOnlyList<float> Own(IReadOnlyList<float> scores) => scores is null ? null! : Array.AsReadOnly([.. scores]);

    /// <summary>The same scores with another threshold; the maps' moves as far.</summary>
    internal ThresholdCalibration At(float threshold) => this with
    {
        Method = SetByUser,
        Threshold = threshold,
        MapThreshold = float.IsNaN(MapThreshold - Threshold) ? threshold : MapThreshold + (threshold - Threshold),
    };
}
