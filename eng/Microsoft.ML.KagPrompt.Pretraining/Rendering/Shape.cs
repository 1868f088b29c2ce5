namespace Microsoft.ML.KagPrompt.Pretraining.Rendering;

/// <summary>An outline with a soft edge and a rounded-body shading.</summary>
internal sealed class Shape
{
    private readonly double x, y, width, height, cos, sin;
    private readonly (double Amplitude, int Order, double Phase)[] waves;
    private readonly bool box;
    private readonly double softness, body, lightX, lightY;

    /// <summary>Ellipse, box, gear or blob of about the given radius; body is the strength of its shading.</summary>
    public Shape(Random random, double x, double y, double radius, double aspect, double angle, double body)
    {
        (this.x, this.y, width, height) = (x, y, radius * Math.Sqrt(aspect), radius / Math.Sqrt(aspect));
        (cos, sin) = (Math.Cos(angle), Math.Sin(angle));
        box = random.Next(3) == 0;
        waves = box || random.Next(2) == 0 ? []
            : [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => (random.NextDouble() * 0.18, random.Next(2, 14), random.NextDouble() * 6.3))];
        softness = 0.7 + (random.NextDouble() * 1.2);
        this.body = body;
        var light = random.NextDouble() * 2 * Math.PI;
        (lightX, lightY) = (Math.Cos(light), Math.Sin(light));
    }

    private double Reach => Math.Max(width, height) * (box ? 1.5 : 1.6);

    public (int Left, int Top, int Right, int Bottom) Bounds(int side) =>
        ((int)Math.Clamp(x - Reach, 0, side), (int)Math.Clamp(y - Reach, 0, side), (int)Math.Clamp(x + Reach + 1, 0, side), (int)Math.Clamp(y + Reach + 1, 0, side));

    /// <summary>How much of a pixel it covers, and its light there.</summary>
    public (float Coverage, float Shade) At(int px, int py)
    {
        var (dx, dy) = (px - x, py - y);
        var (u, v) = (((dx * cos) + (dy * sin)) / width, ((dy * cos) - (dx * sin)) / height);
        double distance;
        if (box)
        {
            distance = Math.Max(Math.Abs(u), Math.Abs(v));
        }
        else
        {
            distance = Math.Sqrt((u * u) + (v * v));
            if (waves.Length > 0)
            {
                var angle = Math.Atan2(v, u);
                var edge = 1.0;
                foreach (var (amplitude, order, phase) in waves)
                {
                    edge += amplitude * Math.Cos((order * angle) + phase);
                }

                distance /= edge;
            }
        }

        var coverage = ((1 - distance) * Math.Min(width, height) / softness) + 0.5;
        var slope = body * distance * distance * ((dx * lightX) + (dy * lightY)) / Math.Max(width, height);
        return ((float)Math.Clamp(coverage, 0, 1), (float)Math.Clamp(1 + slope, 0.1, 2));
    }
}
