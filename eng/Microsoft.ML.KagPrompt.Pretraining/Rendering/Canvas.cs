namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>A square of linear RGB floats in 0..1 that shapes are painted on.</summary>
internal sealed class Canvas(int side)
{
    public int Side { get; } = side;

    public float[] Rgb { get; } = new float[side * side * 3];

    /// <summary>Fills everything with a texture through a palette.</summary>
    public void Fill(float[] field, Palette palette)
    {
        for (var p = 0; p < Side * Side; p++)
        {
            palette.At(field[p], Rgb.AsSpan(p * 3, 3));
        }
    }

    /// <summary>Paints a texture where coverage (0..1) says so; the field is read with an offset so that one field serves many shapes.</summary>
    public void Paint(Shape shape, float[] field, Palette palette, int offset, float opacity)
    {
        var colour = new float[3];
        var (left, top, right, bottom) = shape.Bounds(Side);
        for (var y = top; y < bottom; y++)
        {
            for (var x = left; x < right; x++)
            {
                var (coverage, shade) = shape.At(x, y);
                coverage *= opacity;
                if (coverage <= 0)
                {
                    continue;
                }

                palette.At(field[((((y * Side) + x) + offset) % field.Length)], colour);
                var pixel = Rgb.AsSpan(((y * Side) + x) * 3, 3);
                for (var c = 0; c < 3; c++)
                {
                    pixel[c] += coverage * ((colour[c] * shade) - pixel[c]);
                }
            }
        }
    }

    /// <summary>Multiplies a pixel's light.</summary>
    public void Light(int x, int y, float factor)
    {
        foreach (ref var value in Rgb.AsSpan(((y * Side) + x) * 3, 3))
        {
            value *= factor;
        }
    }

    /// <summary>8-bit RGB.</summary>
    public byte[] ToBytes() => [.. Rgb.Select(value => (byte)Math.Clamp((value * 255) + 0.5f, 0, 255))];
}

/// <summary>A ramp of colours.</summary>
internal sealed class Palette
{
    private readonly float[] colours;
    private readonly int count;

    private Palette(float[] colours) => (this.colours, count) = (colours, colours.Length / 3);

    /// <summary>Two to five colours around a base, or far from it; grey by the share given.</summary>
    public static Palette Any(Random random, double greyShare = 0.3)
    {
        var count = random.Next(2, 6);
        var spread = random.NextSingle() * random.NextSingle();
        var grey = random.NextDouble() < greyShare;
        var saturation = random.NextSingle() * (2 - random.NextSingle());
        Span<float> centre = [random.NextSingle(), random.NextSingle(), random.NextSingle()];
        for (var c = 1; c < 3; c++)
        {
            centre[c] = Math.Clamp(centre[0] + (saturation * (centre[c] - centre[0])), 0, 1);
        }

        var colours = new float[count * 3];
        for (var i = 0; i < count; i++)
        {
            var shared = (random.NextSingle() - 0.5f) * (0.1f + (1.4f * spread));
            for (var c = 0; c < 3; c++)
            {
                var own = (random.NextSingle() - 0.5f) * spread;
                colours[(i * 3) + c] = Math.Clamp(grey ? centre[0] + shared : centre[c] + shared + own, 0, 1);
            }
        }

        return new Palette(colours);
    }

    /// <summary>Shades close to each other, mostly grey: metal, ceramics, plastics in even light.</summary>
    public static Palette Faint(Random random)
    {
        var (centre, contrast) = (0.15f + (0.7f * random.NextSingle()), 0.02f + (0.25f * random.NextSingle() * random.NextSingle()));
        Span<float> tint = random.Next(5) > 0 ? [0, 0, 0] : [0.2f * (random.NextSingle() - 0.5f), 0, 0.2f * (random.NextSingle() - 0.5f)];
        var colours = new float[6];
        for (var c = 0; c < 3; c++)
        {
            colours[c] = Math.Clamp(centre + tint[c] - contrast, 0, 1);
            colours[3 + c] = Math.Clamp(centre + tint[c] + contrast, 0, 1);
        }

        return new Palette(colours);
    }

    public void At(float value, Span<float> colour)
    {
        var position = Math.Clamp(value, 0, 1) * (count - 1);
        var first = Math.Min((int)position, count - 2);
        var along = position - first;
        for (var c = 0; c < 3; c++)
        {
            var low = colours[(first * 3) + c];
            colour[c] = low + (along * (colours[(first * 3) + 3 + c] - low));
        }
    }
}
