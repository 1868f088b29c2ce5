namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>The luminance of a picture.</summary>
internal static class GreyLevels
{
    /// <summary>One grey level a pixel, row by row: 0.299 R + 0.587 G + 0.114 B in OpenCV's 15-bit fixed point.</summary>
    public static byte[] Compute(PixelBuffer image)
    {
        const int Red = 9798, Green = 19235, Blue = 3735, FractionBits = 15;
        var rgb = image.Rgb;
        var grey = new byte[image.Width * image.Height];
        for (int i = 0, p = 0; i < grey.Length; i++, p += 3)
        {
            grey[i] = (byte)(((Red * rgb[p]) + (Green * rgb[p + 1]) + (Blue * rgb[p + 2]) + (1 << (FractionBits - 1))) >> FractionBits);
        }

        return grey;
    }
}
