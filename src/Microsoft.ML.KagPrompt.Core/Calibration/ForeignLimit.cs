namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>
/// Where "foreign" begins on the scale of <see cref="Inspection.Unlikeness"/>: between the normal image that lacks most of the others and
/// the blank frame that lacks least, so that no backbone's scale comes in. The fewer images have shown how far normal ones differ, the
/// nearer to the blank frame.
/// </summary>
internal static class ForeignLimit
{
    // Measured on nine products with 1 to 16 supports (docs/explanation/evaluation.md):
    // few real parts, sound or defective, are called foreign.
    private const double FewImages = 0.8;
    private const double ManyImages = 0.5;
    private const double PerDoubling = 0.1;

    // Supports that are all but the same picture say nothing of how far the next one differs.
    private const float LeastShare = 0.1f;

    /// <summary>The limit; NaN where normal images differ from each other as much as from a blank frame.</summary>
    /// <param name="normals">Unlikeness of normal images that the bank did not know, at least one.</param>
    /// <param name="images">How many images that rests on.</param>
    /// <param name="blank">The smallest unlikeness of a blank frame.</param>
    public static float Place(IReadOnlyList<float> normals, int images, float blank)
    {
        var low = Math.Max(normals.Max(), LeastShare * blank);
        if (!(low < blank))
        {
            return float.NaN;
        }

        var share = Math.Clamp(FewImages + PerDoubling - (PerDoubling * Math.Log2(Math.Max(images, 1))), ManyImages, FewImages);
        return (float)(low * Math.Pow(blank / low, share));
    }
}
