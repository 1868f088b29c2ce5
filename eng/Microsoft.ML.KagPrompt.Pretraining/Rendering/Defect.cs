namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>Damage: scratches, cracks, stains, dents, pieces out of place, chipped edges, places finished otherwise.</summary>
internal static class Defect
{
    /// <summary>Draws one; returns its outline where the defect is a whole place, whether or not each pixel changed.</summary>
    public static Shape? Draw(Canvas canvas, Random random)
    {
        var side = canvas.Side;
        switch (random.Next(10))
        {
            case 0:
                Line(canvas, random, wander: 0.05, width: 0.8 + random.NextDouble());
                break;
            case 1:
                Line(canvas, random, wander: 0.6, width: 0.7 + (1.5 * random.NextDouble()));
                break;
            case 2:
                Blob(canvas, random, side * (0.03 + (0.09 * random.NextDouble())), Palette.Any(random), 0.4f + (0.6f * random.NextSingle()));
                break;
            case 3:
                Dent(canvas, random);
                break;
            case 4:
                Pores(canvas, random);
                break;
            case 5:
                Blob(canvas, random, side * (0.05 + (0.15 * random.NextDouble())), Palette.Faint(random), 0.15f + (0.4f * random.NextSingle()));
                break;
            case 6:
                Chip(canvas, random);
                break;
            case 7 or 8:
                return Finish(canvas, random);
            default:
                Transplant(canvas, random);
                break;
        }

        return null;
    }

    /// <summary>A bite out of the picture's border.</summary>
    private static void Chip(Canvas canvas, Random random)
    {
        var (along, across) = (canvas.Side * random.NextDouble(), (double)random.Next(2) * canvas.Side);
        var (x, y) = random.Next(2) == 0 ? (along, across) : (across, along);
        canvas.Paint(new Shape(random, x, y, canvas.Side * (0.03 + (0.1 * random.NextDouble())), 0.5 + random.NextDouble(), random.NextDouble() * Math.PI, 0),
            Field.Fractal(canvas.Side, random, 8, 0.6, 4), Palette.Faint(random), random.Next(1000), 1);
    }

    /// <summary>A wide place ground, rubbed or wetted otherwise: its texture stronger, weaker or smeared, its light another.</summary>
    private static Shape Finish(Canvas canvas, Random random)
    {
        var side = canvas.Side;
        var place = new Shape(random, side * random.NextDouble(), side * random.NextDouble(), side * (0.1 + (0.3 * random.NextDouble())), Math.Exp(2.8 * (random.NextDouble() - 0.5)), random.Next(2) * Math.PI / 2, 0);
        var (strength, light) = (random.Next(2) == 0 ? 0.2f + (0.5f * random.NextSingle()) : 1.5f + (1.5f * random.NextSingle()), 0.8f + (0.4f * random.NextSingle()));
        var smear = random.Next(3) == 0 ? random.Next(4, 16) : 0;
        var (stepX, stepY) = random.Next(2) == 0 ? (1, 0) : (0, 1);
        var source = (float[])canvas.Rgb.Clone();
        var (left, top, right, bottom) = place.Bounds(side);
        for (var c = 0; c < 3; c++)
        {
            var (sum, weight) = (0f, 0f);
            for (var y = top; y < bottom; y++)
            {
                for (var x = left; x < right; x++)
                {
                    var coverage = place.At(x, y).Coverage;
                    (sum, weight) = (sum + (coverage * source[(((y * side) + x) * 3) + c]), weight + coverage);
                }
            }

            for (var y = top; y < bottom; y++)
            {
                for (var x = left; x < right; x++)
                {
                    var value = 0f;
                    for (var step = -smear; step <= smear; step++)
                    {
                        var (u, v) = (Math.Clamp(x + (step * stepX), 0, side - 1), Math.Clamp(y + (step * stepY), 0, side - 1));
                        value += source[(((v * side) + u) * 3) + c] / ((2 * smear) + 1);
                    }

                    var mean = sum / Math.Max(weight, 1);
                    ref var pixel = ref canvas.Rgb[(((y * side) + x) * 3) + c];
                    pixel += place.At(x, y).Coverage * (Math.Max(0, light * (mean + (strength * (value - mean)))) - pixel);
                }
            }
        }

        return place;
    }

    /// <summary>A coordinate for a defect's middle: anywhere but at the very border.</summary>
    private static double Somewhere(int side, Random random) => side * (0.05 + (0.9 * random.NextDouble()));

    private static void Line(Canvas canvas, Random random, double wander, double width)
    {
        var side = canvas.Side;
        var (x, y, angle) = (Somewhere(side, random), Somewhere(side, random), random.NextDouble() * 2 * Math.PI);
        var factor = random.Next(2) == 0 ? 0.1f + (0.7f * random.NextSingle()) : 1.2f + random.NextSingle();
        for (var step = random.Next(15, 90); step > 0; step--)
        {
            angle += (random.NextDouble() - 0.5) * wander;
            (x, y) = (x + Math.Cos(angle), y + Math.Sin(angle));
            for (var v = (int)(y - width); v <= y + width; v++)
            {
                for (var u = (int)(x - width); u <= x + width; u++)
                {
                    if (u >= 0 && v >= 0 && u < side && v < side && ((u - x) * (u - x)) + ((v - y) * (v - y)) <= width * width)
                    {
                        // Painted once a step, so a pixel is touched about twice.
                        canvas.Light(u, v, MathF.Sqrt(factor));
                    }
                }
            }
        }
    }

    private static void Blob(Canvas canvas, Random random, double radius, Palette palette, float opacity)
        => canvas.Paint(new Shape(random, Somewhere(canvas.Side, random), Somewhere(canvas.Side, random), radius, 0.4 + random.NextDouble(), random.NextDouble() * Math.PI, 0.3),
            Field.Fractal(canvas.Side, random, 8, 0.6, 4), palette, random.Next(1000), opacity);

    /// <summary>A few small dark holes near each other.</summary>
    private static void Pores(Canvas canvas, Random random)
    {
        var side = canvas.Side;
        var (cx, cy) = (Somewhere(side, random), Somewhere(side, random));
        var depth = 0.3f + (0.7f * random.NextSingle());
        for (var count = random.Next(1, 6); count > 0; count--)
        {
            var (x, y, radius) = (cx + (side * 0.05 * (random.NextDouble() - 0.5)), cy + (side * 0.05 * (random.NextDouble() - 0.5)), 1 + (4 * random.NextDouble()));
            for (var v = (int)Math.Max(0, y - (2 * radius)); v < Math.Min(side, y + (2 * radius)); v++)
            {
                for (var u = (int)Math.Max(0, x - (2 * radius)); u < Math.Min(side, x + (2 * radius)); u++)
                {
                    canvas.Light(u, v, 1 - (depth * (float)Math.Exp(-(((u - x) * (u - x)) + ((v - y) * (v - y))) / (radius * radius))));
                }
            }
        }
    }

    private static void Dent(Canvas canvas, Random random)
    {
        var side = canvas.Side;
        var (cx, cy, radius) = (Somewhere(side, random), Somewhere(side, random), side * (0.03 + (0.08 * random.NextDouble())));
        var (angle, depth) = (random.NextDouble() * 2 * Math.PI, 0.15 + random.NextDouble());
        for (var y = (int)Math.Max(0, cy - (2 * radius)); y < Math.Min(side, cy + (2 * radius)); y++)
        {
            for (var x = (int)Math.Max(0, cx - (2 * radius)); x < Math.Min(side, cx + (2 * radius)); x++)
            {
                var (u, v) = ((x - cx) / radius, (y - cy) / radius);
                var slope = ((u * Math.Cos(angle)) + (v * Math.Sin(angle))) * Math.Exp(-((u * u) + (v * v)) * 1.5);
                canvas.Light(x, y, (float)Math.Clamp(1 + (depth * 1.8 * slope), 0.1, 2.5));
            }
        }
    }

    /// <summary>A piece of the picture in the wrong place.</summary>
    private static void Transplant(Canvas canvas, Random random)
    {
        var side = canvas.Side;
        var (w, h) = (random.Next(side / 16, side / 5), random.Next(side / 16, side / 5));
        var (fromX, fromY, toX, toY) = (random.Next(side - w), random.Next(side - h), random.Next(side - w), random.Next(side - h));
        var source = (float[])canvas.Rgb.Clone();
        for (var y = 0; y < h; y++)
        {
            source.AsSpan((((fromY + y) * side) + fromX) * 3, w * 3).CopyTo(canvas.Rgb.AsSpan((((toY + y) * side) + toX) * 3));
        }
    }
}
