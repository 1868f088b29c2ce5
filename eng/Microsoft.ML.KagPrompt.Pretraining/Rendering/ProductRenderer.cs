using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>Photographs of one product, which differ as sound pieces do (<see cref="ProductCamera"/>); and defects with their masks.</summary>
internal static class ProductRenderer
{
    // Changes below this many grey levels are no defect to look for.
    private const int LeastChange = 6;

    // Of a place finished otherwise, what must have changed for the whole to be a defect.
    private const double LeastShare = 0.15;

    /// <summary>Views of one sound product; which product, and which views, depends on the seed alone.</summary>
    public static IReadOnlyList<PixelBuffer> Views(int seed, int count, int side)
    {
        var camera = new ProductCamera(seed, side);
        return [.. Enumerable.Range(0, count).Select(_ => camera.Take())];
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
}
