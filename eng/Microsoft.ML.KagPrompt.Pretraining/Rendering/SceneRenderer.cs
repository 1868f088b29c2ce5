namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>A rendered picture.</summary>
/// <param name="Rgb">Bytes, side × side × 3.</param>
/// <param name="ClassName">What it shows, for the prompts.</param>
/// <param name="IsDefective">Whether a defect was drawn.</param>
internal sealed record Scene(byte[] Rgb, string ClassName, bool IsDefective);

/// <summary>Draws pictures of surfaces and parts under many lights and cameras. What it draws depends on the seed alone.</summary>
internal sealed class SceneRenderer(int side)
{
    /// <summary>Product names by family; each picture takes one of its family's.</summary>
    private static readonly string[][] Names =
    [
        ["surface", "tile", "plate", "sheet", "leather", "stone", "wood", "metal", "paper", "plastic", "ceramic", "glass", "steel", "magnet", "strip", "coil"],
        ["fabric", "carpet", "mesh", "grid", "textile", "filter"],
        ["part", "object", "product", "item", "component", "casting", "nut", "washer", "gear", "cap", "pill", "fruit", "seed", "cookie", "bottle", "lens"],
        ["board", "circuit", "pcb", "connector", "panel", "label", "package", "print"],
        ["gravel", "grains", "pile", "mixture", "food", "foam"],
    ];

    /// <summary>One picture, sound or defective.</summary>
    public Scene Render(int seed, bool defective)
    {
        var random = new Random(seed);
        var canvas = new Canvas(side);
        var family = random.Next(Names.Length);
        switch (family)
        {
            case 0:
                Surface(canvas, random);
                break;
            case 1:
                canvas.Fill(random.Next(2) == 0 ? Field.Weave(side, random, 4 + (26 * random.NextDouble())) : Lattice(random), Palette.Any(random));
                break;
            case 2:
                Parts(canvas, random);
                break;
            case 3:
                Board(canvas, random);
                break;
            default:
                Leaves(canvas, random);
                break;
        }

        if (defective)
        {
            for (var count = random.Next(1, 4); count > 0; count--)
            {
                Defect.Draw(canvas, random);
            }
        }

        Camera.Expose(canvas, random);
        return new Scene(canvas.ToBytes(), Names[family][random.Next(Names[family].Length)], defective);
    }

    private void Surface(Canvas canvas, Random random)
    {
        if (random.Next(2) == 0)
        {
            canvas.Fill(Field.Any(side, random), Palette.Any(random));
            return;
        }

        canvas.Fill(Field.Worked(side, random), Palette.Faint(random));
        if (random.Next(3) == 0)
        {
            // An edge of the part, and what lies beyond it.
            var edge = side * (1.1 + random.NextDouble());
            Paint(canvas, random, side * random.Next(2), side * random.Next(2), edge / 2, 0.5 + random.NextDouble(), random.Next(2) * random.NextDouble(), Field.Worked(side, random), Palette.Faint(random), 1f);
        }
    }

    private float[] Lattice(Random random)
    {
        var period = 6 + (30 * random.NextDouble());
        var (a, b) = (Field.Stripes(side, random, period, 0.2 * random.NextDouble(), 0.05, 4), Field.Stripes(side, random, period, (Math.PI / 2) + (0.2 * random.NextDouble()), 0.05, 4));
        return [.. a.Zip(b, Math.Min)];
    }

    /// <summary>One or a few bodies on a background, with holes and marks.</summary>
    private void Parts(Canvas canvas, Random random)
    {
        canvas.Fill(random.Next(2) == 0 ? Field.Fractal(side, random, 2, 0.5, 6) : Field.Any(side, random), Palette.Any(random));
        var (surface, detail) = (Field.Any(side, random), Field.Any(side, random));
        var (material, mark) = (random.Next(2) == 0 ? Palette.Faint(random) : Palette.Any(random), Palette.Any(random));
        var count = random.Next(3) == 0 ? random.Next(2, 9) : 1;
        for (var i = 0; i < count; i++)
        {
            var radius = side * (count == 1 ? 0.25 + (0.25 * random.NextDouble()) : 0.08 + (0.12 * random.NextDouble()));
            var (x, y) = count == 1 ? (side * (0.4 + (0.2 * random.NextDouble())), side * (0.4 + (0.2 * random.NextDouble()))) : (side * random.NextDouble(), side * random.NextDouble());
            var (aspect, angle) = (0.5 + random.NextDouble(), random.NextDouble() * Math.PI);
            Paint(canvas, random, x + (radius * 0.1), y + (radius * 0.1), radius * 1.02, aspect, angle, surface, null, 0.5f);
            Paint(canvas, random, x, y, radius, aspect, angle, surface, material, 1f);
            for (var marks = random.Next(0, 12); marks > 0; marks--)
            {
                var (r, a) = (radius * 0.6 * random.NextDouble(), random.NextDouble() * 2 * Math.PI);
                Paint(canvas, random, x + (r * Math.Cos(a)), y + (r * Math.Sin(a)), radius * (0.03 + (0.15 * random.NextDouble())), 0.3 + (2 * random.NextDouble()), a, detail, mark, random.NextSingle());
            }
        }
    }

    /// <summary>Rows of pads, chips, tracks and prints.</summary>
    private void Board(Canvas canvas, Random random)
    {
        canvas.Fill(Field.Fractal(side, random, 4, 0.6, 6), Palette.Any(random, 0.2));
        var field = Field.Any(side, random);
        var palettes = Enumerable.Range(0, 5).Select(_ => Palette.Any(random)).ToArray();
        var pitch = 6 + (30 * random.NextDouble());
        for (var n = random.Next(20, 120); n > 0; n--)
        {
            var (x, y) = (Math.Round(side * random.NextDouble() / pitch) * pitch, Math.Round(side * random.NextDouble() / pitch) * pitch);
            var line = random.Next(3) == 0;
            Paint(canvas, random, x, y, pitch * (0.2 + random.NextDouble()), line ? 8 + (20 * random.NextDouble()) : 0.5 + random.NextDouble(), random.Next(2) * Math.PI / 2, field, palettes[random.Next(5)], 1f);
        }
    }

    /// <summary>Dead leaves: shapes of all sizes covering each other, as natural images do.</summary>
    private void Leaves(Canvas canvas, Random random)
    {
        canvas.Fill(Field.Any(side, random), Palette.Any(random));
        var fields = new[] { Field.Any(side, random), Field.Any(side, random), Field.Any(side, random) };
        var palettes = Enumerable.Range(0, 8).Select(_ => Palette.Any(random)).ToArray();
        var smallest = 2 + (8 * random.NextDouble());
        for (var n = random.Next(40, 250); n > 0; n--)
        {
            var radius = Math.Min(side / 3.0, smallest / Math.Sqrt(1 - (0.999 * random.NextDouble())));
            Paint(canvas, random, side * random.NextDouble(), side * random.NextDouble(), radius, 0.4 + (1.2 * random.NextDouble()), random.NextDouble() * Math.PI, fields[n % 3], palettes[random.Next(8)], 1f);
        }
    }

    private static void Paint(Canvas canvas, Random random, double x, double y, double radius, double aspect, double angle, float[] field, Palette? palette, float opacity)
        => canvas.Paint(new Shape(random, x, y, Math.Max(radius, 1), aspect, angle, random.NextDouble() * 0.8), field, palette ?? Palette.Any(random), random.Next(field.Length), opacity);
}
