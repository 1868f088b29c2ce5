using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>Whether one score lies far above others.</summary>
internal static class OddOneOut
{
    // Sets of sound images in which one is named, were their scores' logarithms normal; measured on nine products: 1 to 6 of 100.
    private const double FalseWords = 0.01;

    // Scores within a few parts of 100 are alike, however close the others lie together.
    private const double LeastDeviation = 0.05;

    /// <summary>Above the prediction bound of the others' logarithms, at a rate that allows for asking it of every image.</summary>
    public static bool IsFarAbove(float score, IReadOnlyList<float> others)
    {
        var logs = others.Select(Logarithm).ToArray();
        var mean = logs.Average();
        var deviation = Math.Max(LeastDeviation, Math.Sqrt(logs.Sum(log => (log - mean) * (log - mean)) / (logs.Length - 1)));
        var quantile = StudentTail.Quantile(FalseWords / (logs.Length + 1), logs.Length - 1);
        return Logarithm(score) > mean + (quantile * deviation * Math.Sqrt(1 + (1.0 / logs.Length))) && score > others.Max();
    }

    private static double Logarithm(float score) => Math.Log(Math.Max(score, 1e-6));
}
