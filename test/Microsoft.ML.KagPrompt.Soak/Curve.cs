namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>
/// Tells growth from settling. The C library gives every thread a heap of its own, and each comes to its size by and by, whether anything
/// leaks or not; so growth is counted from where the curve is flat.
/// </summary>
internal static class Curve
{
    /// <summary>Flat: so many laps in a row whose resident memory lies within this share of the smallest.</summary>
    public const int Window = 3;
    public const double Flat = 0.01;

    /// <summary>Laps until the last ones are flat, at most so many more than a window; not flat: that is said, and growth is counted all the same.</summary>
    public static (HeldMemory[] Laps, bool IsFlat) UntilFlat(Func<HeldMemory> lap, int most)
    {
        var laps = new List<HeldMemory>();
        while (laps.Count < Window + most)
        {
            laps.Add(lap());
            if (laps.Count >= Window && laps.TakeLast(Window).Max(held => held.Own) <= laps.TakeLast(Window).Min(held => held.Own) * (1 + Flat))
            {
                return ([.. laps], true);
            }
        }

        return ([.. laps], false);
    }

    /// <summary>
    /// From the median of the last warm laps to the median of the last laps of all, as a share of what is resident: a lap ends with whatever
    /// a thread happens to hold.
    /// </summary>
    public static double Growth(HeldMemory[] warm, HeldMemory[] laps, Func<HeldMemory, long> of, long resident)
        => (double)(Median(laps, of) - Median(warm, of)) / resident;

    private static long Median(HeldMemory[] laps, Func<HeldMemory, long> of)
    {
        var last = laps.TakeLast(Window).Select(of).Order().ToArray();
        return last[last.Length / 2];
    }
}
