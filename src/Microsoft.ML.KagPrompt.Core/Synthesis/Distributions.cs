namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Random numbers that <see cref="Random"/> does not draw itself.</summary>
internal static class Distributions
{
    /// <summary>Normal (Box and Muller 1958).</summary>
    public static double NextNormal(this Random random, double mean, double deviation)
        => mean + (deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    /// <summary>Gamma of shape 2: the sum of two exponential draws.</summary>
    public static double NextGamma2(this Random random, double scale)
        => -scale * (Math.Log(1 - random.NextDouble()) + Math.Log(1 - random.NextDouble()));
}
