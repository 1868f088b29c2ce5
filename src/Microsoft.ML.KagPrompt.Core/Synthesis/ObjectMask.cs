using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Tells an object from a plain background.</summary>
internal static class ObjectMask
{
    private const int MedianSide = 7;
    private const double LeastObjectShare = 0.02;

    /// <summary>One byte a pixel, 1 on the object: |grey − background| above the threshold, grains removed by a median.</summary>
    public static byte[] Compute(PixelBuffer image, double background, double threshold)
    {
        var mask = GreyLevels.Compute(image);
        for (var i = 0; i < mask.Length; i++)
        {
            mask[i] = (byte)(Math.Abs(mask[i] - background) > threshold ? 1 : 0);
        }

        return MedianFilter.Square(mask, image.Width, image.Height, MedianSide);
    }

    /// <summary>Whether at least half of the images show an object, 2 % of the picture or more, before the background.</summary>
    public static bool Shows(IReadOnlyList<PixelBuffer> images, double background, double threshold)
    {
        var showing = images.Count(image
            => Compute(image, background, threshold).Count(pixel => pixel != 0) >= LeastObjectShare * image.Width * image.Height);
        return 2 * showing >= images.Count;
    }
}
