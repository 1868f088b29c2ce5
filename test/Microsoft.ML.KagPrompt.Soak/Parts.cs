using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>Pictures of a part that nobody photographed.</summary>
internal static class Parts
{
    /// <summary>A ring, lit and moved a little differently by each seed.</summary>
    public static PixelBuffer Picture(int side, int seed)
    {
        var random = new Random(seed);
        var (dx, dy, gain) = (random.NextDouble() * 4, random.NextDouble() * 4, 0.95 + (0.1 * random.NextDouble()));
        var rgb = new byte[side * side * 3];
        for (var p = 0; p < side * side; p++)
        {
            var (u, v) = ((((p % side) + dx) / side) - 0.5, (((p / side) + dy) / side) - 0.5);
            var value = ((Math.Abs(Math.Sqrt((u * u) + (v * v)) - 0.3) < 0.1 ? 180 : 60) + (20 * Math.Sin(u * 25))) * gain;
            for (var c = 0; c < 3; c++)
            {
                rgb[(3 * p) + c] = (byte)Math.Clamp(value + (c * 10) + random.Next(6), 0, 255);
            }
        }

        return new(side, side, rgb);
    }

    /// <summary>Files of several kinds and sizes.</summary>
    public static string[] Write(string folder, int count) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var picture = Picture(160 + (48 * (i % 3)), i);
        var path = Path.Combine(folder, i % 2 == 0 ? $"part{i}.png" : $"part{i}.jpg");
        File.WriteAllBytes(path, i % 2 == 0 ? ImageCodec.EncodePng(picture) : ImageCodec.EncodeJpeg(picture));
        return path;
    })];
}
