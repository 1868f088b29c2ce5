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
    private const double SpreadOfGap = 0.36;
    private const double LeastGap = 0.1;
    private const double LargestGap = 0.6;
    private const double UsualGap = 0.3;
    private const double SpreadFreedom = 5;

    // A support scored against the others meets one image less than a new one will.
    private const double LeftOutShift = -0.08;
    private const double FewImages = 4;

    // By how many spreads the place is off beyond what their number explains; fewer, the more supports there are.
    private const double PlaceError = 1;

    // One photograph has no other to be held against. Normal scores lie so far above what it scores against its turned and mirrored
    // views, against its other half, and, of synthetic defects on it, against itself.
    private const double AboveViews = 0.09;
    private const double AboveHalves = -0.36;
    private const double AboveDefects = 0;
    private const double WeightOfViews = 1 / 3.0;

    // Further apart, one of the two says nothing: a method that sees the whole picture at once knows it by its half; a part may look
    // the same from all sides. Where places count, neither the other half nor a turned view is a match: defects say it then.
    private const double MostApart = 0.8;
    private const double PlaceErrorOfOne = 0.25;

    // What a picture scores against what equals it is rounding, and no place.
    private const float Rounding = 1e-5f;

    // Two photographs meet each other alone: normal scores lie so far above, and what each scores against itself counts for a third.
    private const double AboveEachOther = -0.135;
    private const double WeightOfItself = 1 / 3.0;
    private const double PlaceErrorOfTwo = 0.16;
    private const double AllowedErrorOfTwo = 0.11;

    // Where so few photographs tell the place, they tell nothing of the spread.
    private const double UsualSpread = 0.1;

    // Further from the middle than this many deviations, a photograph says no more.
    private const double Reach = 2.5;
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

    /// <summary>From what the only photograph scores against itself; null where that says nothing.</summary>
    /// <param name="itself">Against its views first, then against its halves.</param>
    /// <param name="synthetic">Synthetic defects on it; may be none.</param>
    public static NormalScoreModel? FromOne(IReadOnlyList<float> itself, IReadOnlyList<float> synthetic)
        // To allow for all that is not known here would pass two defects of three.
        => Location(itself, synthetic) is { } place ? Usual(place, PlaceErrorOfOne, allowed: 0) : null;

    /// <summary>From two photographs; null where they say nothing of themselves.</summary>
    /// <param name="eachOther">Each against the other.</param>
    /// <param name="itself">Of each, as for one.</param>
    /// <param name="synthetic">Synthetic defects on them; may be none.</param>
    public static NormalScoreModel? FromTwo(
        IReadOnlyList<float> eachOther, IReadOnlyList<IReadOnlyList<float>> itself, IReadOnlyList<float> synthetic)
    {
        var places = itself.Select(own => Location(own, synthetic)).OfType<double>().ToArray();
        return places.Length < itself.Count ? null : Usual(
            ((1 - WeightOfItself) * (eachOther.Average(Logarithm) + AboveEachOther)) + (WeightOfItself * places.Average()),
            PlaceErrorOfTwo, AllowedErrorOfTwo);
    }

    private static NormalScoreModel Usual(double location, double error, double allowed) => new()
    {
        Location = location,
        LocationError = error,
        AllowedError = allowed,
        Spread = UsualSpread,
        Freedom = SpreadFreedom,
    };

    private static double? Location(IReadOnlyList<float> itself, IReadOnlyList<float> synthetic)
    {
        var views = Place(itself.Take(1), AboveViews);
        var halves = Place(itself.Skip(1), AboveHalves);
        var defects = Place(synthetic, AboveDefects);
        return (views, halves) switch
        {
            (null, null) => defects,
            (null, _) => halves,
            (_, null) => views,
            _ when Math.Abs(views.Value - halves.Value) <= MostApart
                => (WeightOfViews * views) + ((1 - WeightOfViews) * halves),
            _ when defects is { } near && Math.Abs(halves.Value - near) < Math.Abs(views.Value - near) => halves,
            _ => halves > views ? defects ?? views : views,
        };
    }

    private static double? Place(IEnumerable<float> scores, double above)
        => scores.Where(score => score > Rounding).Select(Logarithm).ToArray() is { Length: > 0 } logs ? Median(logs) + above : null;

    private static double Logarithm(float score) => Math.Log(Math.Max(score, Least));

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
