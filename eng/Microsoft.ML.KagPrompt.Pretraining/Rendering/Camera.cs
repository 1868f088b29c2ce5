using Microsoft.ML.KagPrompt.Backbones.Vit;

namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>Light, lens and sensor.</summary>
internal static class Camera
{
    public static void Expose(Canvas canvas, Random random)
    {
        Illuminate(canvas, random);
        for (var passes = random.Next(3) == 0 ? random.Next(1, 4) : 0; passes > 0; passes--)
        {
            Blur(canvas);
        }

        Tone(canvas, random);
        if (random.Next(3) == 0)
        {
            Compression.Apply(canvas, 0.01f + (0.05f * random.NextSingle()));
        }
    }

    private static void Illuminate(Canvas canvas, Random random)
    {
        var side = canvas.Side;
        var (angle, fall) = (random.NextDouble() * 2 * Math.PI, random.NextDouble() * random.NextDouble() * random.NextDouble());
        var (cx, cy, spot) = (side * random.NextDouble(), side * random.NextDouble(), random.Next(4) == 0 ? random.NextDouble() : 0);
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var along = (((x - (side / 2.0)) * Math.Cos(angle)) + ((y - (side / 2.0)) * Math.Sin(angle))) / side;
                var near = Math.Exp(-(((x - cx) * (x - cx)) + ((y - cy) * (y - cy))) / (0.08 * side * side));
                canvas.Light(x, y, (float)Math.Max(0.05, 1 + (1.4 * fall * along) + (spot * near)));
            }
        }
    }

    /// <summary>3 × 3 binomial.</summary>
    private static void Blur(Canvas canvas)
    {
        var (side, rgb) = (canvas.Side, canvas.Rgb);
        var copy = (float[])rgb.Clone();
        for (var y = 1; y < side - 1; y++)
        {
            for (var i = ((y * side) + 1) * 3; i < ((y * side) + side - 1) * 3; i++)
            {
                var row = side * 3;
                rgb[i] = ((4 * copy[i]) + (2 * (copy[i - 3] + copy[i + 3] + copy[i - row] + copy[i + row]))
                    + copy[i - row - 3] + copy[i - row + 3] + copy[i + row - 3] + copy[i + row + 3]) / 16;
            }
        }
    }

    private static void Tone(Canvas canvas, Random random)
    {
        var calm = random.Next(2) == 0 ? 0.4f : 1f;
        var gamma = Math.Pow(2, (random.NextDouble() - 0.5) * 1.6);
        var (gain, lift, noise) = (1 + (calm * ((0.8f * random.NextSingle()) - 0.4f)), calm * 0.2f * (random.NextSingle() - 0.3f), 0.06f * random.NextSingle() * random.NextSingle());
        for (var i = 0; i < canvas.Rgb.Length; i++)
        {
            var value = MathF.Pow(Math.Clamp(canvas.Rgb[i], 0, 1), (float)gamma);
            canvas.Rgb[i] = (value * gain) + lift + (noise * (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 2);
        }
    }
}
