namespace Microsoft.ML.KagPrompt.Cli.Exporting;

/// <summary>
/// Pictures to try an exported file on where no photographs are at hand, the same ones every time: stripes, a bright spot and noise.
/// </summary>
internal static class GeneratedPictures
{
    public const int Count = 3;

    /// <summary>
    /// One of the model's size, one that is brought down to it and one up, neither of them square; where the class's region takes
    /// images of one shape alone, all of that shape.
    /// </summary>
    public static IEnumerable<PixelBuffer> For(OnnxModelInfo info)
    {
        var side = info.ImageSize;
        (int Width, int Height)[] sizes = info.RegionSize is { } size ? [.. Enumerable.Repeat(size, Count)]
            : [(side, side), (side * 7 / 4, side * 5 / 4), (Math.Max(1, side / 2), Math.Max(1, side * 2 / 3))];
        return sizes.Select((size, seed) => Picture(size.Width, size.Height, seed));
    }

    private static PixelBuffer Picture(int width, int height, int seed)
    {
        var random = new Random(seed);
        var (across, down, x0, y0) = (random.Next(10, 40), random.Next(10, 40), random.NextDouble(), random.NextDouble());
        var rgb = new byte[checked(3 * width * height)];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (u, v) = ((double)x / width, (double)y / height);
                var far = ((u - x0) * (u - x0)) + ((v - y0) * (v - y0));
                var value = 110 + (40 * Math.Sin((across * u) + (down * v))) + (80 * Math.Exp(-30 * far));
                for (var c = 0; c < 3; c++)
                {
                    rgb[(((y * width) + x) * 3) + c] = (byte)Math.Clamp(value + (10 * c) + random.Next(20), 0, 255);
                }
            }
        }

        return new PixelBuffer(width, height, rgb);
    }
}
