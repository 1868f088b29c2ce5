using MathNet.Numerics.Distributions;
using MathNet.Numerics.RootFinding;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// The upper tail of Student's t. The library's own quantile searches up to 800 only;
/// one degree of freedom and a tail of 0.0001 lie at 3183.
/// </summary>
internal static class StudentTail
{
    /// <summary>The value that is exceeded with a probability.</summary>
    /// <param name="tail">Above 0, at most 0.5.</param>
    /// <param name="degrees">Degrees of freedom, above 0.</param>
    public static double Quantile(double tail, double degrees)
    {
        // By the lower tail, which keeps its digits where 1 - tail would be rounded to 1.
        double Excess(double value) => (StudentT.CDF(0, 1, degrees, -value) / tail) - 1;
        var high = 1.0;
        while (Excess(high) > 0)
        {
            high *= 2;
        }

        return Brent.FindRoot(Excess, high > 1 ? high / 2 : 0, high, accuracy: 1e-12 * high);
    }
}
