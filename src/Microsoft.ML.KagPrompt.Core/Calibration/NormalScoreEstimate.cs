namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>
/// What normal images' scores will be, from a handful of them. The constants are a prior: what products showed (eng/, Choices).
/// The logarithms of normal scores spread by about a third of the way to those of synthetic defects, whatever the product,
/// so that few photographs need only say where they lie, and one odd photograph cannot move the line past all defects.
/// </summary>
internal static class NormalScoreEstimate
{
    // Deviation of the logarithms of normal scores, as a share of the way from them to synthetic defects;
    // and as how many photographs' worth it counts.
    private const double SpreadOfGap = 0.33;
    private const double LeastGap = 0.1;
    private const double LargestGap = 0.6;
    private const double UsualGap = 0.3;
    private const double SpreadFreedom = 5;

    // A support scored against the others meets one image less than a new one will.
    private const double LeftOutShift = -0.07;
    private const double FewImages = 4;

    // By how many spreads the place is off beyond what their number explains; fewer, the more supports there are.
    private const double PlaceError = 1;

    // One photograph has no other to be held against: synthetic defects on it tell where the scale lies.
    private const double BelowDefects = -0.13;
    private const double PlaceErrorOfOne = 0.15;

    // Further from the middle than this many deviations, a photograph says no more.
    private const double Reach = 3;
    private const double LeastReach = 0.1;

    private const double Least = 1e-6;

    /// <summary>From scores of normal images that the bank did not know.</summary>
    /// <param name="leftOut">Supports, each against the others.</param>
    /// <param name="heldOut">Normal images beside the supports, against all of them.</param>
    /// <param name="synthetic">Synthetic defects on the supports, each against the others; may be none.</param>
    /// <param name="supports">Images in the bank.</param>
    public static NormalScoreModel FromNormals(
        IReadOnlyList<float> leftOut, IReadOnlyList<float> heldOut, IReadOnlyList<float> synthetic, int supports)
    {
        var few = Math.Min(1, FewImages / supports);
        double[] logs = [.. leftOut.Select(score => Logarithm(score) + (LeftOutShift * few)).Concat(heldOut.Select(Logarithm))];
        var middle = Median(logs);
        var gap = synthetic.Count == 0 ? UsualGap : synthetic.Average(Logarithm) - leftOut.Concat(heldOut).Average(Logarithm);
        var usual = SpreadOfGap * Math.Clamp(gap, LeastGap, LargestGap);
        var reach = Reach * Math.Max(usual, LeastReach);
        double[] near = [.. logs.Select(log => Math.Clamp(log, middle - reach, middle + reach))];
        var location = near.Average();
        var freedom = SpreadFreedom + near.Length - 1;
        var spread = Math.Sqrt(((SpreadFreedom * usual * usual) + near.Sum(log => (log - location) * (log - location))) / freedom);
        // Held-out images are what will come; supports only resemble it.
        var systematic = PlaceError * spread * Math.Sqrt(FewImages / supports) * leftOut.Count / logs.Length;
        return new()
        {
            Location = location,
            LocationError = Math.Sqrt((spread * spread / near.Length) + (systematic * systematic)),
            Spread = spread,
            Freedom = freedom,
        };
    }

    /// <summary>From scores of synthetic defects on the only normal image, at least one.</summary>
    public static NormalScoreModel FromDefects(IReadOnlyList<float> synthetic) => new()
    {
        Location = Median([.. synthetic.Select(Logarithm)]) + BelowDefects,
        LocationError = PlaceErrorOfOne,
        Spread = SpreadOfGap * UsualGap,
        Freedom = SpreadFreedom,
    };

    private static double Logarithm(float score) => Math.Log(Math.Max(score, Least));

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
