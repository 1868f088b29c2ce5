using MathNet.Numerics.Distributions;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// The scores that sound parts are expected to have, as far as a handful of photographs tell:
/// their logarithms have a normal distribution whose mean and deviation are themselves uncertain.
/// What the photographs show is weighed against how normal scores spread on products at large.
/// </summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record NormalScoreModel
{
    private const int Grid = 40;

    /// <summary>The mean of the scores' logarithms, as best known.</summary>
    public required double Location { get; init; }

    /// <summary>Standard deviation by which <see cref="Location"/> may be off; 0 or more.</summary>
    public required double LocationError { get; init; }

    /// <summary>
    /// The part of <see cref="LocationError"/> that <see cref="Threshold"/> allows for, 0 or more; null: all of it. Of one photograph the
    /// place is known so badly that to allow for it would pass most defects; <see cref="RejectRate"/> counts all of it in any case.
    /// </summary>
    public double? AllowedError { get; init; }

    /// <summary>The standard deviation of the scores' logarithms, as best known; above 0.</summary>
    public required double Spread { get; init; }

    /// <summary>Degrees of freedom with which <see cref="Spread"/> is known; above 0.</summary>
    public required double Freedom { get; init; }

    /// <summary>
    /// The score that the next normal image exceeds with a probability, with all that is uncertain, but for what
    /// <see cref="AllowedError"/> leaves out.
    /// </summary>
    /// <param name="rate">Above 0, at most 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is outside.</exception>
    public float Threshold(double rate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rate, 0.5);
        return (float)Math.Exp(Location + (StudentTail.Quantile(rate, Freedom) * Predictive(AllowedError ?? LocationError)));
    }

    /// <summary>
    /// Share of normal parts that score above a threshold: what to expect, and the shortest interval that holds the true
    /// share with 90 % confidence.
    /// </summary>
    /// <param name="threshold">A score.</param>
    public (double Expected, double Low, double High) RejectRate(float threshold)
    {
        if (float.IsNaN(threshold))
        {
            return (double.NaN, 0, 1);
        }

        var place = threshold > 0 ? Math.Log(threshold) : double.NegativeInfinity;
        var expected = StudentT.CDF(0, 1, Freedom, (Location - place) / Predictive(LocationError));
        // Mean and deviation at the middles of equally likely steps: each pair is one way the truth may be.
        var steps = Enumerable.Range(0, Grid).Select(i => (i + 0.5) / Grid).ToArray();
        var means = steps.Select(p => Location + (LocationError * Normal.InvCDF(0, 1, p))).ToArray();
        var deviations = steps.Select(p => Spread * Math.Sqrt(Freedom / ChiSquared.InvCDF(Freedom, p))).ToArray();
        double[] shares =
        [
            .. means.SelectMany(mean => deviations.Select(deviation => Normal.CDF(0, 1, (mean - place) / deviation))).Order(),
        ];
        var held = (int)Math.Ceiling(ThresholdCalibration.Confidence * shares.Length);
        var first = Enumerable.Range(0, shares.Length - held + 1).MinBy(i => shares[i + held - 1] - shares[i]);
        var last = first + held - 1;
        // Where the likeliest shares are the smallest (or the largest) there are, the shortest interval begins at 0 (or ends at 1), not
        // at the middle of a step.
        var low = first == 0 && shares[last] < shares[^1] ? 0 : shares[first];
        var high = last == shares.Length - 1 && shares[0] < shares[first] ? 1 : shares[last];
        return (expected, Math.Min(low, expected), Math.Max(high, expected));
    }

    /// <summary>The score that half of the normal images are expected to exceed.</summary>
    internal float Middle => (float)Math.Exp(Location);

    internal void CollectFaults(OptionFaults faults, string group) => faults
        .Require(double.IsFinite(Location), $"{group}.{nameof(Location)}", "a number", Location)
        .Require(double.IsFinite(LocationError) && LocationError >= 0, $"{group}.{nameof(LocationError)}", "0 or more", LocationError)
        .Require(AllowedError is null || (double.IsFinite(AllowedError.Value) && AllowedError >= 0), $"{group}.{nameof(AllowedError)}",
            "0 or more, or null", AllowedError)
        .Require(double.IsFinite(Spread) && Spread > 0, $"{group}.{nameof(Spread)}", "above 0", Spread)
        .Require(double.IsFinite(Freedom) && Freedom > 0, $"{group}.{nameof(Freedom)}", "above 0", Freedom);

    private double Predictive(double placeError) => Math.Sqrt((Spread * Spread) + (placeError * placeError));
}
