namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Draws from the distributions that patch sizes follow. Every draw comes from the generator passed in.</summary>
internal static class RandomDistributions
{
    /// <summary>A normal deviate (Box–Muller).</summary>
    public static double NextNormal(this Random random, double mean, double deviation)
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
        return mean + (deviation * radius * Math.Cos(2 * Math.PI * random.NextDouble()));
    }

    /// <summary>A gamma deviate of shape 1 or more (Marsaglia and Tsang, 2000).</summary>
    public static double NextGamma(this Random random, double shape, double scale)
    {
        var d = shape - (1.0 / 3);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = random.NextNormal(0, 1);
            var cubeRoot = 1 + (c * x);
            if (cubeRoot <= 0)
            {
                continue;
            }

            var v = cubeRoot * cubeRoot * cubeRoot;
            if (Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + (d * (1 - v + Math.Log(v))))
            {
                return d * v * scale;
            }
        }
    }
}
