using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>Where the cells of each tap look: spots are painted on grounds a memory bank knows, and the cells that see them tell where they lie.</summary>
internal sealed class TapPlaces(Func<IVisionTower> load, int spots, int seed, Action<string> report)
{
    private const int Margin = 50;
    private static readonly int[] Radii = [3, 6];

    /// <summary>Reports, for each tap, how far below and right of the middle of its tile a cell looks, mean over grounds and spots.</summary>
    public void Measure()
    {
        using var tower = load();
        var (info, side) = (tower.Info, tower.Info.ImageSize);
        var preprocessor = new ImagePreprocessor(side, ResizeMode.Stretch, info.Mean, info.Std);
        var grids = info.TapGrids(side);
        var (down, right, count) = (new double[info.TapWidths.Count], new double[info.TapWidths.Count], 0);
        for (var ground = 0; ground < 3; ground++)
        {
            using var scope = NewDisposeScope();
            var random = new Random(seed);
            using var bank = MemoryBank.Build([Encode(tower, preprocessor, Picture(side, ground, 1)), Encode(tower, preprocessor, Picture(side, ground, 2))]);
            for (var spot = 0; spot < spots; spot++)
            {
                using var inner = NewDisposeScope();
                var (row, column, radius) = (Margin + random.Next(side - (2 * Margin)), Margin + random.Next(side - (2 * Margin)), Radii[spot % Radii.Length]);
                var plain = Picture(side, ground, 3 + spot);
                var before = bank.Distances(Encode(tower, preprocessor, plain));
                var after = bank.Distances(Encode(tower, preprocessor, Painted(plain, row, column, radius)));
                for (var tap = 0; tap < before.Count; tap++)
                {
                    var (grid, step) = (grids[tap].Rows, grids[tap].RowStep);
                    var (seenRow, seenColumn) = Centroid(after[tap], before[tap], grid);
                    down[tap] += row - (seenRow * step) - ((step - 1) / 2.0);
                    right[tap] += column - (seenColumn * step) - ((step - 1) / 2.0);
                }

                count++;
            }
        }

        for (var tap = 0; tap < down.Length; tap++)
        {
            report(FormattableString.Invariant($"tap {tap + 1}: {down[tap] / count:0.0} pixels below and {right[tap] / count:0.0} right of the middle of its tile"));
        }
    }

    private static IReadOnlyList<Tensor> Encode(IVisionTower tower, ImagePreprocessor preprocessor, PixelBuffer picture) => tower.Encode(preprocessor.Normalize([picture])).PatchTokens;

    /// <summary>Row and column of the cells that changed, weighed by the square of the change.</summary>
    private static (double Row, double Column) Centroid(Tensor after, Tensor before, int grid)
    {
        var (with, without) = (after.data<float>().ToArray(), before.data<float>().ToArray());
        var (sum, row, column) = (0.0, 0.0, 0.0);
        for (var i = 0; i < with.Length; i++)
        {
            var weight = Math.Pow(Math.Max(0, with[i] - without[i]), 2);
            (sum, row, column) = (sum + weight, row + (weight * (i / grid)), column + (weight * (i % grid)));
        }

        return (row / sum, column / sum);
    }

    /// <summary>Plain grey, grain, or waves.</summary>
    private static PixelBuffer Picture(int side, int ground, int seed)
    {
        var random = new Random(seed);
        var rgb = new byte[3 * side * side];
        for (var p = 0; p < side * side; p++)
        {
            var grey = (byte)(ground switch { 0 => 128, 1 => 110 + random.Next(36), _ => 100 + (40 * Math.Sin(p % side / 9.0) * Math.Cos(p / side / 7.0)) });
            rgb.AsSpan(3 * p, 3).Fill(grey);
        }

        return new PixelBuffer(side, side, rgb);
    }

    private static PixelBuffer Painted(PixelBuffer ground, int row, int column, int radius)
    {
        var rgb = ground.Rgb.ToArray();
        for (var y = -radius; y <= radius; y++)
        {
            for (var x = -radius; x <= radius; x++)
            {
                if ((x * x) + (y * y) <= radius * radius)
                {
                    ((ReadOnlySpan<byte>)[230, 30, 30]).CopyTo(rgb.AsSpan(3 * (((row + y) * ground.Width) + column + x), 3));
                }
            }
        }

        return new PixelBuffer(ground.Width, ground.Height, rgb);
    }
}
