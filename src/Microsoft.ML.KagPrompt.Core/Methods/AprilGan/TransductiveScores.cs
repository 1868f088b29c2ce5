namespace Microsoft.ML.KagPrompt.Methods.AprilGan;

/// <summary>
/// The authors' few-shot image score, for evaluations that repeat theirs: half the zero-shot score and half the map's maximum, brought to
/// 0..1 between the least and the largest of all test images of the class. It needs the whole test set; an image alone has no such score,
/// so models do not use it.
/// </summary>
internal static class TransductiveScores
{
    /// <summary>One score an image, in order.</summary>
    /// <param name="zeroShot">Zero-shot image scores of all test images of one class.</param>
    /// <param name="largest">The maxima of their maps, in the same order.</param>
    /// <exception cref="ArgumentException">The lists differ in length, or all maxima are equal.</exception>
    public static float[] Compute(IReadOnlyList<float> zeroShot, IReadOnlyList<float> largest)
    {
        if (zeroShot.Count != largest.Count || largest.Count == 0 || !(largest.Max() > largest.Min()))
        {
            throw new ArgumentException($"largest: expected maxima of {zeroShot.Count} images that are not all equal, got {largest.Count}"
                + FormattableString.Invariant($"{(largest.Count == 0 ? "" : $" between {largest.Min()} and {largest.Max()}")}. ")
                + "The score is made for a test set of a class, of two images or more.");
        }

        return [.. Scaled(largest).Zip(zeroShot, (scaled, score) => 0.5f * (score + scaled))];
    }

    /// <summary>Between the least (0) and the largest (1).</summary>
    internal static float[] Scaled(IReadOnlyList<float> values)
    {
        var (least, largest) = (values.Min(), values.Max());
        return [.. values.Select(value => (value - least) / (largest - least))];
    }
}
