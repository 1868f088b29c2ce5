using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>A picture of at most 256 translucent colours: all that drawn maps need.</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Indices">A palette entry for each pixel, row by row.</param>
/// <param name="Palette">Colours, not premultiplied, and their opacity.</param>
internal sealed record PaletteImage(int Width, int Height, byte[] Indices, (byte R, byte G, byte B, byte A)[] Palette)
{
    /// <summary>The picture over an image of its size.</summary>
    public PixelBuffer Over(PixelBuffer image)
    {
        var rgb = new byte[image.Rgb.Length];
        for (var p = 0; p < Indices.Length; p++)
        {
            var (r, g, b, a) = Palette[Indices[p]];
            rgb[3 * p] = Blend(image.Rgb[3 * p], r, a);
            rgb[(3 * p) + 1] = Blend(image.Rgb[(3 * p) + 1], g, a);
            rgb[(3 * p) + 2] = Blend(image.Rgb[(3 * p) + 2], b, a);
        }

        return new PixelBuffer(Width, Height, rgb);
    }

    private static byte Blend(byte below, byte above, byte alpha) => (byte)(((below * (255 - alpha)) + (above * alpha) + 127) / 255);
}
