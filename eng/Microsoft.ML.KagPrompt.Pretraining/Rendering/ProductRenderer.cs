using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>Photographs of one product: the same scene, shifted, turned, lit and grained anew each time; and defects with their masks.</summary>
internal static class ProductRenderer
{
    // The scene is larger than a view, which moves about in it.
    private const double Margin = 1.25;

    // Changes below this many grey levels are no defect to look for.
    private const int LeastChange = 6;

    // Of a place finished otherwise, what must have changed for the whole to be a defect.
    private const double LeastShare = 0.15;

    /// <summary>Views of one sound product; which product, and which views, depends on the seed alone.</summary>
    public static IReadOnlyList<PixelBuffer> Views(int seed, int count, int side)
    {
        var scene = new SceneRenderer((int)(side * Margin)).Render(seed, defective: false);
        var random = new Random(seed);
        var turn = random.Next(2) == 0 ? 0.03 : 0.15;
        return [.. Enumerable.Range(0, count).Select(_ => View(scene.Rgb, (int)(side * Margin), side, turn, random))];
    }

    /// <summary>One to three defects drawn into a copy, and where they changed it.</summary>
    public static (PixelBuffer Image, bool[] Mask) Damage(PixelBuffer view, Random random)
    {
        var canvas = new Canvas(view.Width);
        for (var i = 0; i < canvas.Rgb.Length; i++)
        {
            canvas.Rgb[i] = view.Rgb[i] / 255f;
        }

        var places = new List<Shape>();
        for (var count = random.Next(1, 3); count > 0; count--)
        {
            if (Defect.Draw(canvas, random) is { } place)
            {
                places.Add(place);
            }
        }

        var damaged = canvas.ToBytes();
        var mask = new bool[view.Width * view.Height];
        for (var i = 0; i < damaged.Length; i++)
        {
            mask[i / 3] |= Math.Abs(damaged[i] - view.Rgb[i]) >= LeastChange;
        }

        foreach (var place in places)
        {
            Cover(place, mask, view.Width);
        }

        return (new PixelBuffer(view.Width, view.Height, damaged), mask);
    }

    /// <summary>Marks a whole place, unless so little of it changed that nobody would see it.</summary>
    private static void Cover(Shape place, bool[] mask, int side)
    {
        var (left, top, right, bottom) = place.Bounds(side);
        var inside = new List<int>();
        for (var y = top; y < bottom; y++)
        {
            inside.AddRange(Enumerable.Range(left, right - left).Where(x => place.At(x, y).Coverage > 0.5f).Select(x => (y * side) + x));
        }

        if (inside.Count(p => mask[p]) > LeastShare * inside.Count)
        {
            inside.ForEach(p => mask[p] = true);
        }
    }

    private static PixelBuffer View(byte[] scene, int sceneSide, int side, double turn, Random random)
    {
        double Around(double width) => (random.NextDouble() - 0.5) * 2 * width;
        var (angle, scale) = (Around(turn), 1 + Around(0.04));
        var (cx, cy) = ((sceneSide / 2.0) + Around(sceneSide * 0.05), (sceneSide / 2.0) + Around(sceneSide * 0.05));
        var (cos, sin) = (Math.Cos(angle) * scale, Math.Sin(angle) * scale);
        var (gain, lift, noise) = (1 + Around(0.08), Around(6), 3 * random.NextDouble());
        var rgb = new byte[side * side * 3];
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var (u, v) = (x - (side / 2.0), y - (side / 2.0));
                var (sx, sy) = (Math.Clamp(cx + (u * cos) - (v * sin), 0, sceneSide - 1.001), Math.Clamp(cy + (u * sin) + (v * cos), 0, sceneSide - 1.001));
                var (left, top) = ((int)sx, (int)sy);
                var (fx, fy) = (sx - left, sy - top);
                for (var c = 0; c < 3; c++)
                {
                    var at = (((top * sceneSide) + left) * 3) + c;
                    var upper = scene[at] + (fx * (scene[at + 3] - scene[at]));
                    var lower = scene[at + (3 * sceneSide)] + (fx * (scene[at + (3 * sceneSide) + 3] - scene[at + (3 * sceneSide)]));
                    rgb[(((y * side) + x) * 3) + c] = (byte)Math.Clamp(((upper + (fy * (lower - upper))) * gain) + lift + Around(noise) + 0.5, 0, 255);
                }
            }
        }

        return new PixelBuffer(side, side, rgb);
    }
}
