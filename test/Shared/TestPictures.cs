namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Seeded pictures for tests that need no photograph.</summary>
internal static class TestPictures
{
    /// <summary>Independent random bytes.</summary>
    public static PixelBuffer Noise(int width, int height, int seed)
    {
        var rgb = new byte[3 * width * height];
        new Random(seed).NextBytes(rgb);
        return new PixelBuffer(width, height, rgb);
    }

    /// <summary>One colour everywhere.</summary>
    public static PixelBuffer Plain(int width, int height, byte level)
    {
        var rgb = new byte[3 * width * height];
        Array.Fill(rgb, level);
        return new PixelBuffer(width, height, rgb);
    }
}
