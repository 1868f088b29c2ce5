namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>Scalar textures over a square, values about 0..1: the stuff surfaces are made of.</summary>
internal static class Field
{
    /// <summary>Noise at several octaves; anisotropy stretches it along x (brushed metal, wood).</summary>
    public static float[] Fractal(int side, Random random, double coarsest, double persistence, int octaves, double anisotropy = 1)
    {
        var field = new float[side * side];
        var (amplitude, total) = (1.0, 0.0);
        for (var octave = 0; octave < octaves; octave++)
        {
            var cells = coarsest * Math.Pow(2, octave);
            AddNoise(field, side, random, Math.Max(1, (int)(cells / anisotropy)), Math.Max(1, (int)Math.Min(cells, side)), (float)amplitude);
            total += amplitude;
            amplitude *= persistence;
        }

        Normalize(field);
        return field;
    }

    /// <summary>Parallel stripes with a soft or hard profile, warped by noise.</summary>
    public static float[] Stripes(int side, Random random, double period, double angle, double warp, double hardness)
    {
        var bend = warp > 0 ? Fractal(side, random, 3, 0.5, 3) : null;
        var (c, s) = (Math.Cos(angle), Math.Sin(angle));
        var field = new float[side * side];
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var phase = (((x * c) + (y * s)) / period) + (bend is null ? 0 : bend[(y * side) + x] * warp);
                var wave = Math.Sin(phase * 2 * Math.PI);
                field[(y * side) + x] = (float)(0.5 + (0.5 * Math.Tanh(wave * hardness) / Math.Tanh(hardness)));
            }
        }

        return field;
    }

    /// <summary>What a turning or milling tool leaves: arcs of even pitch about a centre in or near the picture, some deeper than others.</summary>
    public static float[] Arcs(int side, Random random, double pitch)
    {
        var (cx, cy) = (side * ((2 * random.NextDouble()) - 0.5), side * ((2 * random.NextDouble()) - 0.5));
        var depths = Enumerable.Range(0, (int)(4 * side / pitch) + 2).Select(_ => random.NextSingle()).ToArray();
        var field = new float[side * side];
        for (var p = 0; p < field.Length; p++)
        {
            var turn = Math.Sqrt(Math.Pow((p % side) - cx, 2) + Math.Pow((p / side) - cy, 2)) / pitch;
            field[p] = (float)(0.5 + (0.5 * depths[Math.Min((int)turn, depths.Length - 1)] * Math.Sin(turn * 2 * Math.PI)));
        }

        return field;
    }

    /// <summary>Surfaces of worked material, nearly even: cast, ground, brushed, turned, polished.</summary>
    public static float[] Worked(int side, Random random)
    {
        double Log(double low, double high) => low * Math.Pow(high / low, random.NextDouble());
        return random.Next(5) switch
        {
            0 => Mix(Fractal(side, random, Log(30, 150), 0.9, 2), Fractal(side, random, 2, 0.4, 3), random.NextDouble()),
            1 => Fractal(side, random, Log(20, 120), 0.8, 2, Log(3, 30)),
            2 => Mix(Arcs(side, random, Log(2, 12)), Fractal(side, random, Log(8, 100), 0.8, 3), random.NextDouble()),
            3 => Fractal(side, random, Log(1, 3), 0.3, 3),
            _ => Mix(Cells(side, random, Log(3, 16), 1, random.Next(2) == 0), Fractal(side, random, Log(4, 60), 0.7, 4), random.NextDouble()),
        };
    }

    /// <summary>Two sets of threads passing over and under each other.</summary>
    public static float[] Weave(int side, Random random, double period)
    {
        var (a, b) = (Stripes(side, random, period, 0, 0.1, 1), Stripes(side, random, period * (0.7 + (0.6 * random.NextDouble())), Math.PI / 2, 0.1, 1));
        var turn = (random.NextDouble() - 0.5) * 0.6;
        var field = new float[side * side];
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var over = (((int)((x + (turn * y)) / period) + (int)((y - (turn * x)) / period)) & 1) == 0;
                field[(y * side) + x] = over ? a[(y * side) + x] : b[(y * side) + x];
            }
        }

        return field;
    }

    /// <summary>Distance to the nearest of scattered (or gridded) points, or to the border between two: grain, pebbles, cells, crackle.</summary>
    public static float[] Cells(int side, Random random, double spacing, double jitter, bool borders)
    {
        var count = (int)(side / spacing) + 3;
        var points = new (double X, double Y, float Value)[count, count];
        for (var j = 0; j < count; j++)
        {
            for (var i = 0; i < count; i++)
            {
                points[j, i] = ((i - 1 + (jitter * random.NextDouble())) * spacing, (j - 1 + (jitter * random.NextDouble())) * spacing, random.NextSingle());
            }
        }

        var field = new float[side * side];
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var (ci, cj) = ((int)(x / spacing) + 1, (int)(y / spacing) + 1);
                var (nearest, second) = (double.MaxValue, double.MaxValue);
                for (var j = Math.Max(0, cj - 1); j <= Math.Min(count - 1, cj + 1); j++)
                {
                    for (var i = Math.Max(0, ci - 1); i <= Math.Min(count - 1, ci + 1); i++)
                    {
                        var (dx, dy) = (points[j, i].X - x, points[j, i].Y - y);
                        var distance = (dx * dx) + (dy * dy);
                        if (distance < nearest)
                        {
                            (second, nearest) = (nearest, distance);
                        }
                        else if (distance < second)
                        {
                            second = distance;
                        }
                    }
                }

                field[(y * side) + x] = (float)(borders ? Math.Min(1, (Math.Sqrt(second) - Math.Sqrt(nearest)) / spacing * 2) : Math.Min(1, Math.Sqrt(nearest) / spacing));
            }
        }

        return field;
    }

    /// <summary>One of all kinds, with random settings.</summary>
    public static float[] Any(int side, Random random)
    {
        double Between(double low, double high) => low + ((high - low) * random.NextDouble());
        double Log(double low, double high) => low * Math.Pow(high / low, random.NextDouble());
        return random.Next(9) switch
        {
            0 => Fractal(side, random, Log(1, 8), Between(0.35, 0.9), 7),
            1 => Fractal(side, random, Log(8, 64), Between(0.4, 0.9), 4),
            2 => Fractal(side, random, Log(8, 100), Between(0.5, 0.95), 3, Log(3, 40)),
            3 => Stripes(side, random, Log(3, 50), Between(0, Math.PI), Between(0, 1.5), Log(0.3, 8)),
            4 => Weave(side, random, Log(4, 30)),
            5 => Cells(side, random, Log(4, 50), Between(0, 1), random.Next(2) == 0),
            6 => Product(Any(side, random), Fractal(side, random, Log(2, 20), 0.6, 5)),
            7 => Step(Fractal(side, random, Log(2, 30), Between(0.3, 0.7), 5), Between(0.3, 0.7), Log(3, 60)),
            _ => Mix(Fractal(side, random, 2, 0.5, 5), Stripes(side, random, Log(4, 60), Between(0, Math.PI), Between(0, 3), 1), Between(0.1, 0.9)),
        };
    }

    private static float[] Product(float[] a, float[] b) => [.. a.Zip(b, (x, y) => x * (0.3f + (0.7f * y)))];

    private static float[] Mix(float[] a, float[] b, double share) => [.. a.Zip(b, (x, y) => (float)((x * share) + (y * (1 - share))))];

    private static float[] Step(float[] a, double at, double hardness) => [.. a.Select(x => (float)(1 / (1 + Math.Exp(-(x - at) * hardness))))];

    private static void AddNoise(float[] field, int side, Random random, int cellsX, int cellsY, float amplitude)
    {
        var grid = new float[(cellsX + 2) * (cellsY + 2)];
        for (var i = 0; i < grid.Length; i++)
        {
            grid[i] = random.NextSingle() - 0.5f;
        }

        for (var y = 0; y < side; y++)
        {
            var gy = (float)y * cellsY / side;
            var (j, fy) = ((int)gy, Smooth(gy - (int)gy));
            for (var x = 0; x < side; x++)
            {
                var gx = (float)x * cellsX / side;
                var (i, fx) = ((int)gx, Smooth(gx - (int)gx));
                var at = (j * (cellsX + 2)) + i;
                var upper = grid[at] + (fx * (grid[at + 1] - grid[at]));
                var lower = grid[at + cellsX + 2] + (fx * (grid[at + cellsX + 3] - grid[at + cellsX + 2]));
                field[(y * side) + x] += amplitude * (upper + (fy * (lower - upper)));
            }
        }
    }

    private static float Smooth(float t) => t * t * (3 - (2 * t));

    private static void Normalize(float[] field)
    {
        var (low, high) = (field.Min(), field.Max());
        var scale = 1 / Math.Max(high - low, 1e-6f);
        for (var i = 0; i < field.Length; i++)
        {
            field[i] = (field[i] - low) * scale;
        }
    }
}
