using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Imaging;

namespace QuickStart;

/// <summary>Draws brushed-metal washers with three holes, good and defective, and masks of the defects.</summary>
internal static class PartRenderer
{
    private const int Side = 256;

    private static readonly string[] Defects = ["scratch", "stain", "chip", "missing_hole"];

    /// <summary>Writes MVTec AD's layout: 16 images to fit on, 10 good and 4 × 5 defective ones to score.</summary>
    public static void WriteDataset(string folder, int seed)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        var next = seed * 1000;
        Write(folder, "train/good", 16, null, ref next);
        Write(folder, "test/good", 10, null, ref next);
        foreach (var defect in Defects)
        {
            Write(folder, $"test/{defect}", 5, defect, ref next);
        }
    }

    private static void Write(string folder, string part, int count, string? defect, ref int seed)
    {
        var target = Directory.CreateDirectory(Path.Combine(folder, part)).FullName;
        for (var i = 0; i < count; i++)
        {
            var (picture, mask) = Render(seed++, defect);
            Pictures.Write(picture, Path.Combine(target, $"{i:000}.png"));
            if (defect is not null)
            {
                Pictures.Write(
                    mask,
                    Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "ground_truth", defect)).FullName, $"{i:000}_mask.png"));
            }
        }
    }

    /// <summary>One picture and its mask; without a defect the mask is empty.</summary>
    public static (PixelBuffer Picture, PixelBuffer Mask) Render(int seed, string? defect)
    {
        var random = new Random(seed);
        double Around(double middle, double reach) => middle + (reach * ((2 * random.NextDouble()) - 1));
        var (cx, cy, turn) = (Around(128, 4), Around(128, 4), Around(0, 0.06));
        var (light, brightness) = (Around(-0.8, 0.25), Around(1, 0.06));
        var grain = Enumerable.Range(0, Side).Select(_ => Around(0, 9)).ToArray();
        var missing = random.Next(3);
        var flaw = new Flaw(random, cx, cy);
        var (rgb, mask) = (new byte[Side * Side * 3], new byte[Side * Side * 3]);
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                var (u, v) = (
                    ((x - cx) * Math.Cos(turn)) + ((y - cy) * Math.Sin(turn)),
                    ((y - cy) * Math.Cos(turn)) - ((x - cx) * Math.Sin(turn)));
                var radius = Math.Sqrt((u * u) + (v * v));
                var metal = Edge(100 - radius) * Edge(radius - 34);
                var full = metal;
                for (var hole = 0; hole < 3; hole++)
                {
                    var angle = hole * 2 * Math.PI / 3;
                    var distance = Math.Sqrt(Math.Pow(u - (67 * Math.Cos(angle)), 2) + Math.Pow(v - (67 * Math.Sin(angle)), 2));
                    full *= hole == missing ? 1 : Edge(distance - 12);
                    metal *= Edge(distance - 12);
                }

                var changed = 0.0;
                if (defect == "missing_hole")
                {
                    (changed, metal) = (full - metal, full);
                }

                var rim = (Math.Exp(-Math.Pow((radius - 96) / 3, 2)) + Math.Exp(-Math.Pow((radius - 38) / 3, 2)))
                    * 40 * Math.Cos(Math.Atan2(v, u) - light);
                var shade = 165 + grain[y] + (18 * (((x - 128) * Math.Cos(light)) + ((y - 128) * Math.Sin(light))) / 128) + rim;
                var ground = 52 + (6 * Math.Sin(x * 0.21) * Math.Sin(y * 0.17));
                var (r, g, b) = (shade, shade * 1.01, shade * 1.04);
                if (defect is not null and not "missing_hole")
                {
                    changed = flaw.At(defect, x, y) * metal;
                    (r, g, b) = Flaw.Colour(defect, changed, r, g, b, ground);
                }

                var noise = Around(0, 4);
                var at = ((y * Side) + x) * 3;
                rgb[at] = Byte(((metal * r) + ((1 - metal) * ground) + noise) * brightness);
                rgb[at + 1] = Byte(((metal * g) + ((1 - metal) * (ground + 6)) + noise) * brightness);
                rgb[at + 2] = Byte(((metal * b) + ((1 - metal) * (ground + 14)) + noise) * brightness);
                mask.AsSpan(at, 3).Fill(changed > 0.3 ? (byte)255 : (byte)0);
            }
        }

        return (new PixelBuffer(Side, Side, rgb), new PixelBuffer(Side, Side, mask));
    }

    private static double Edge(double inside) => Math.Clamp(inside + 0.5, 0, 1);

    private static byte Byte(double value) => (byte)Math.Clamp(value, 0, 255);

    /// <summary>Where one defect lies and how it looks.</summary>
    private sealed class Flaw
    {
        private readonly double x, y, angle, size;

        public Flaw(Random random, double cx, double cy)
        {
            var (around, out_) = (random.NextDouble() * 2 * Math.PI, 50 + (35 * random.NextDouble()));
            (x, y) = (cx + (out_ * Math.Cos(around)), cy + (out_ * Math.Sin(around)));
            (angle, size) = (random.NextDouble() * Math.PI, 0.7 + (0.6 * random.NextDouble()));
            Rim = (cx + (100 * Math.Cos(around)), cy + (100 * Math.Sin(around)));
        }

        private (double X, double Y) Rim { get; }

        /// <summary>How much of a pixel is damaged.</summary>
        public double At(string defect, int px, int py)
        {
            var (u, v) = (
                ((px - x) * Math.Cos(angle)) + ((py - y) * Math.Sin(angle)),
                ((py - y) * Math.Cos(angle)) - ((px - x) * Math.Sin(angle)));
            return defect switch
            {
                "scratch" => Edge(28 * size - Math.Abs(u)) * Edge(1.6 - Math.Abs(v + (3 * Math.Sin(u * 0.12)))),
                "stain" => Math.Clamp(1.6 - (Math.Sqrt((u * u) + (1.7 * v * v)) / (11 * size)), 0, 1),
                "chip" => Edge((14 * size) - Math.Sqrt(Math.Pow(px - Rim.X, 2) + Math.Pow(py - Rim.Y, 2))
                    + (2 * Math.Sin((px + py) * 0.7))),
                _ => 0,
            };
        }

        public static (double R, double G, double B) Colour(
            string defect, double strength, double r, double g, double b, double ground) => defect switch
        {
            "scratch" => (r + (70 * strength), g + (70 * strength), b + (70 * strength)),
            "stain" => (r - (60 * strength), g - (85 * strength), b - (105 * strength)),
            _ => (r + (strength * (ground - r)), g + (strength * (ground + 6 - g)), b + (strength * (ground + 14 - b))),
        };
    }
}
