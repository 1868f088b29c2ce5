using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>The shape, width to height, of the images that a region was drawn for.</summary>
/// <param name="Width">Columns in pixels.</param>
/// <param name="Height">Rows.</param>
internal readonly record struct ImageShape(int Width, int Height)
{
    /// <summary>Whether images of this size have it: what differs is no more than the rounding of a side.</summary>
    public bool Fits(int width, int height)
        => Math.Abs(((long)Width * height) - ((long)Height * width)) < new[] { width, height, Width, Height }.Max();

    /// <exception cref="ImageReadException">The image has another shape.</exception>
    public void RequireFit(int width, int height, string origin)
    {
        if (!Fits(width, height))
        {
            throw new ImageReadException($"{origin} has {width} x {height} pixels, the region of its class {Width} x {Height}: "
                + "expected the same shape. Check that the image is of this class and is not turned or cut out; "
                + "or draw the region for such images and fit again.");
        }
    }
}
