using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Says how strongly each pixel of a synthetic image is defective (NSA, step 6).</summary>
internal static class DefectLabel
{
    private const double LeastChange = 1;
    private const int MaskMedianSide = 5;
    private const int ChangeMedianRadius = 5;

    /// <summary>
    /// The mean absolute change of the channels in grey levels, smoothed by a median over a disk, and whether the pixel counts as changed.
    /// </summary>
    public static (byte[] Changed, double[] Change) Measure(PixelBuffer before, PixelBuffer after)
    {
        var change = new double[before.Width * before.Height];
        var changed = new byte[change.Length];
        for (int i = 0, p = 0; i < change.Length; i++, p += 3)
        {
            change[i] = (Math.Abs(before.Rgb[p] - after.Rgb[p])
                + Math.Abs(before.Rgb[p + 1] - after.Rgb[p + 1])
                + Math.Abs(before.Rgb[p + 2] - after.Rgb[p + 2])) / 3.0;
            changed[i] = (byte)(change[i] > LeastChange ? 1 : 0);
        }

        changed = MedianFilter.Square(changed, before.Width, before.Height, MaskMedianSide);
        for (var i = 0; i < change.Length; i++)
        {
            change[i] *= changed[i];
        }

        return (changed, MedianFilter.Disk(change, before.Width, before.Height, ChangeMedianRadius));
    }

    /// <summary>Logistic curve of the smoothed change on changed pixels, 0 elsewhere.</summary>
    public static float[] Compute(PixelBuffer before, PixelBuffer after, double steepness, double midpoint)
    {
        var (changed, change) = Measure(before, after);
        var label = new float[change.Length];
        for (var i = 0; i < label.Length; i++)
        {
            label[i] = changed[i] == 0 ? 0 : (float)(1 / (1 + Math.Exp(-steepness * (change[i] - midpoint))));
        }

        return label;
    }
}
