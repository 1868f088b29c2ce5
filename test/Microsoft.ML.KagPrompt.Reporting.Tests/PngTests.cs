using FluentAssertions;
using Microsoft.ML.Data;
using Xunit;

namespace Microsoft.ML.KagPrompt.Reporting.Tests;

public sealed class PngTests
{
    [Fact]
    public void Encode_PaletteImage_KeepsColoursAndOpacity()
    {
        var palette = Enumerable.Range(0, 256).Select(i => ((byte)i, (byte)(255 - i), (byte)(i / 2), i < 200 ? (byte)255 : (byte)0)).ToArray();
        var picture = new PaletteImage(20, 20, [.. Enumerable.Range(0, 400).Select(p => (byte)(p % 256))], palette);

        using var image = Image(Png.Encode(picture));
        var pixels = image.Pixels.ToArray();
        var (red, blue) = image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);

        for (var p = 0; p < 400; p++)
        {
            var (r, g, b, a) = palette[p % 256];
            pixels[(4 * p) + 3].Should().Be(a);
            if (a == 255)
            {
                (pixels[(4 * p) + red], pixels[(4 * p) + 1], pixels[(4 * p) + blue]).Should().Be((r, g, b));
            }
        }
    }

    [Fact]
    public void GrayPng_AnyMap_KeepsItsValues()
    {
        var random = new Random(2);
        float[] map = [.. Enumerable.Range(0, 13 * 7).Select(_ => (random.NextSingle() * 1.4f) - 0.2f)];
        map[5] = float.NaN;

        using var image = Image(HeatmapRenderer.GrayPng(map, 13, 7));
        var pixels = image.Pixels.ToArray();

        // The codec gives the upper eight of the sixteen bits.
        (image.Width, image.Height).Should().Be((13, 7));
        for (var p = 0; p < map.Length; p++)
        {
            var expected = float.IsNaN(map[p]) ? 0 : Math.Clamp(map[p], 0, 1) * 255;
            ((float)pixels[4 * p]).Should().BeApproximately(expected, 1.01f);
        }
    }

    private static MLImage Image(byte[] png)
    {
        using var stream = new MemoryStream(png);
        return MLImage.CreateFromStream(stream);
    }
}
