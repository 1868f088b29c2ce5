using System.Globalization;
using System.Text;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>What an image costs as one thing grows and all else stays: milliseconds, and the ratio to the first of its row.</summary>
internal static class Growth
{
    private const int Side = 224;
    private const int Shots = 4;
    private const int Batch = 8;
    private const int Rounds = 5;

    /// <param name="device">As the option names it.</param>
    /// <param name="picture">The SVG file to draw into; null: none.</param>
    public static void Run(string device, string? picture)
    {
        Timing.UsesGpu = device != "cpu" && torch.cuda.is_available();
        (string Name, int[] Sizes, double[] Seconds)[] rows =
        [
            Row("image side", [224, 336, 448], side => (side, Shots, 1, 1)),
            Row("support images", [1, 2, 4, 8], shots => (Side, shots, Batch, 1)),
            Row("images at once", [1, 2, 4, 8, 16], batch => (Side, Shots, batch, 1)),
            Row("classes in a batch of 8", [1, 2, 4], classes => (Side, Shots, Batch, classes)),
        ];
        if (picture is not null)
        {
            File.WriteAllText(picture, Drawn(rows));
        }

        (string, int[], double[]) Row(string name, int[] sizes, Func<int, (int Side, int Shots, int Batch, int Classes)> with)
        {
            double[] seconds = [.. sizes.Select(with).Select(all => Seconds(device, all.Side, all.Shots, all.Batch, all.Classes))];
            Console.WriteLine($"| {name} | {string.Join(" | ", sizes)} |");
            Console.WriteLine($"| ms an image | {string.Join(" | ", seconds.Select(value => Text(1e3 * value)))} |");
            Console.WriteLine($"| ratio | {string.Join(" | ", seconds.Select(value => Text(value / seconds[0])))} |");
            return (name, sizes, seconds);
        }
    }

    private static double Seconds(string device, int side, int shots, int batch, int classes)
    {
        var names = Enumerable.Range(0, classes).Select(i => $"part{i}").ToArray();
        using var model = KagPromptTrainer.Fit(
            names.SelectMany(name => Enumerable.Range(0, shots)
                .Select(i => new TrainingImage { Image = TestImages.Part(side, side, i), ClassName = name, IsSupport = true })),
            new InspectionOptions { Images = new() { Size = side }, Device = device, Seed = 1 });
        var images = Enumerable.Range(0, batch).Select(i => TestImages.Part(side, side, 100 + i)).ToArray();
        var of = Enumerable.Range(0, batch).Select(i => (string?)names[i % classes]).ToArray();
        return Timing.Median(() => model.Inspect(images, of), Rounds) / batch;
    }

    private static string Text(double value) => value.ToString(value < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);

    /// <summary>Both axes as ratios to the first, logarithmic: what grows in proportion is a line of 45 degrees.</summary>
    private static string Drawn(IReadOnlyList<(string Name, int[] Sizes, double[] Seconds)> rows)
    {
        const double Unit = 80, Left = 50, Bottom = 380;
        string[] colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
        var svg = new StringBuilder("""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 430" font-family="sans-serif" font-size="13">
            <rect width="640" height="430" fill="white"/>

            """);
        string At(double size, double cost) => FormattableString.Invariant($"{Left + (Unit * Math.Log2(size)):0.#},{Bottom - 80 - (Unit * Math.Log2(cost)):0.#}");
        for (var power = 0; power <= 4; power++)
        {
            var (x, y) = (Left + (Unit * power), Bottom - 80 - (Unit * (power - 1)));
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{x}" y="{Bottom + 20}" text-anchor="middle">{1 << power}×</text>""");
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<line x1="{Left}" x2="{Left + (4 * Unit)}" y1="{y}" y2="{y}" stroke="#ddd"/>""");
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{Left - 8}" y="{y + 4}" text-anchor="end">{Math.Pow(2, power - 1)}×</text>""");
        }

        foreach (var (i, (name, sizes, seconds)) in rows.Index())
        {
            var points = sizes.Zip(seconds, (size, cost) => At((double)size / sizes[0], cost / seconds[0]));
            svg.AppendLine(CultureInfo.InvariantCulture,
                $"""<polyline points="{string.Join(' ', points)}" fill="none" stroke="{colours[i]}" stroke-width="2.5"/>""");
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="400" y="{100 + (24 * i)}" fill="{colours[i]}">{name} (from {sizes[0]})</text>""");
        }

        svg.AppendLine("""<text x="210" y="420" text-anchor="middle">times as large</text><text x="400" y="70">time of an image, times the first's</text>""");
        return svg.Append("</svg>\n").ToString();
    }
}
