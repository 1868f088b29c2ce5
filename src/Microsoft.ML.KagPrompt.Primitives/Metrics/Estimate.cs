using System.Globalization;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>A metric with its 95 % bootstrap interval over images, all in 0..1. NaN where it cannot be told.</summary>
/// <param name="Value">The metric.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public readonly record struct Estimate(double Value, double Low, double High)
{
    /// <summary>No value.</summary>
    public static readonly Estimate None = new(double.NaN, double.NaN, double.NaN);

    /// <summary>The mean of several, NaN left out. Its interval is that of a mean of independent values.</summary>
    public static Estimate Mean(IEnumerable<Estimate> estimates)
    {
        var known = estimates.Where(estimate => !double.IsNaN(estimate.Value)).ToArray();
        if (known.Length == 0)
        {
            return None;
        }

        var mean = known.Average(estimate => estimate.Value);
        double Spread(Func<Estimate, double> half) => Math.Sqrt(known.Sum(estimate => half(estimate) * half(estimate))) / known.Length;
        var (below, above) = (Spread(estimate => estimate.Value - estimate.Low), Spread(estimate => estimate.High - estimate.Value));
        return new(mean, Math.Max(0, mean - below), Math.Min(1, mean + above));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value:0.0000} [{Low:0.0000}, {High:0.0000}]");
}
