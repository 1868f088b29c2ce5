using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>
/// Takes photographs of sound pieces of one product: a scene shifted, turned, lit and grained anew each time and, with some products, bent and of another texture from piece to piece. How much they differ is the
/// product's own, so that much may be normal with one and little with another.
/// </summary>
internal sealed class ProductCamera
{
    // The scene is larger than a view, which moves about in it: a little with parts, far with endless surfaces.
    private const double LeastMargin = 1.25;
    private const double LeastRoam = 0.05;

    private readonly Random random;
    private readonly int side;
    private readonly int sceneSide;
    private readonly byte[] scene;
    private readonly double turn;
    private readonly double light;
    private readonly double gain;
    private readonly double texture;
    private readonly double bend;
    private readonly int grain;
    private readonly double roughness;

    /// <summary>Which product, and which photographs follow, depends on the seed alone.</summary>
    public ProductCamera(int seed, int side)
    {
        random = new Random(seed);
        this.side = side;
        sceneSide = (int)(side * (LeastMargin + (random.Next(2) * random.NextDouble())));
        scene = new SceneRenderer(sceneSide).Render(seed, defective: false).Rgb;
        turn = new[] { 0.03, 0.08, 0.15, 0.5 }[random.Next(4)];
        light = 0.5 * random.NextDouble() * random.NextDouble();
        gain = 0.2 * random.NextDouble();
        texture = random.Next(2) * 0.35 * random.NextDouble() * random.NextDouble();
        bend = random.Next(2) * 0.04 * random.NextDouble();
        grain = 2 << random.Next(4);
        roughness = 0.4 + (0.4 * random.NextDouble());
    }

    /// <summary>The next photograph, side × side.</summary>
    public PixelBuffer Take()
    {
        var (angle, scale) = (Around(turn), 1 + Around(0.04));
        var roam = Math.Max(LeastRoam * sceneSide, (sceneSide - (LeastMargin * side)) / 2);
        var (cx, cy) = ((sceneSide / 2.0) + Around(roam), (sceneSide / 2.0) + Around(roam));
        var (cos, sin) = (Math.Cos(angle) * scale, Math.Sin(angle) * scale);
        var (exposure, lift, noise) = (1 + Around(gain), Around(6), 3 * random.NextDouble());
        var (lightAngle, fall) = (random.NextDouble() * 2 * Math.PI, 2 * light * random.NextDouble() / side);
        var own = texture > 0 ? Centred(grain, roughness, 5) : null;
        var (bendX, bendY) = bend > 0 ? (Centred(2, 0.4, 2), Centred(2, 0.4, 2)) : (null, null);
        var rgb = new byte[side * side * 3];
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var at = (y * side) + x;
                var (u, v) = (x - (side / 2.0), y - (side / 2.0));
                var lit = exposure * (1 + (fall * ((u * Math.Cos(lightAngle)) + (v * Math.Sin(lightAngle)))));
                if (own is not null)
                {
                    lit *= 1 + (2 * texture * own[at]);
                }

                if (bendX is not null && bendY is not null)
                {
                    (u, v) = (u + (2 * bend * side * bendX[at]), v + (2 * bend * side * bendY[at]));
                }

                var (sceneX, sceneY) = (cx + (u * cos) - (v * sin), cy + (u * sin) + (v * cos));
                for (var c = 0; c < 3; c++)
                {
                    rgb[(at * 3) + c] = (byte)Math.Clamp((Sample(sceneX, sceneY, c) * lit) + lift + Around(noise) + 0.5, 0, 255);
                }
            }
        }

        return new PixelBuffer(side, side, rgb);
    }

    private double Around(double width) => (random.NextDouble() - 0.5) * 2 * width;

    private float[] Centred(double coarsest, double persistence, int octaves)
    {
        var field = Field.Fractal(side, random, coarsest, persistence, octaves);
        var mean = field.Average();
        return [.. field.Select(value => value - mean)];
    }

    /// <summary>The scene between its pixels, and its border outside.</summary>
    private double Sample(double x, double y, int channel)
    {
        (x, y) = (Math.Clamp(x, 0, sceneSide - 1.001), Math.Clamp(y, 0, sceneSide - 1.001));
        var (left, top) = ((int)x, (int)y);
        var (fx, fy) = (x - left, y - top);
        var at = (((top * sceneSide) + left) * 3) + channel;
        var below = at + (3 * sceneSide);
        var upper = scene[at] + (fx * (scene[at + 3] - scene[at]));
        var lower = scene[below] + (fx * (scene[below + 3] - scene[below]));
        return upper + (fy * (lower - upper));
    }
}
