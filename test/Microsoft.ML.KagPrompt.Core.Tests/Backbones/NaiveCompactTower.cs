using Microsoft.ML.KagPrompt.Imaging;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>The compact tower for one image, one number at a time in float64: written from its description and apart from the network.</summary>
/// <param name="weights">By the archive's names.</param>
/// <param name="blocks">Residual blocks of each stage.</param>
/// <param name="patchSize">Pixels a patch.</param>
internal sealed class NaiveCompactTower(IReadOnlyDictionary<string, torch.Tensor> weights, IReadOnlyList<int> blocks, int patchSize)
{
    private readonly Dictionary<string, double[]> values = weights.ToDictionary(entry => entry.Key, entry => entry.Value.detach().to_type(torch.ScalarType.Float64).data<double>().ToArray());

    /// <summary>A square picture as the tower reads it, levels from −1 to 1: [channel, row, column].</summary>
    public static double[,,] Pixels(PixelBuffer square)
        => Fill(3, square.Height, square.Width, (c, y, x) => ((square.Rgb[(((y * square.Width) + x) * 3) + c] / 255.0) - 0.5) / 0.5);

    /// <summary>Tokens of each tap [L, D_i], and the embedding.</summary>
    public (double[][,] Taps, double[] Embedding) Encode(double[,,] image)
    {
        var grid = image.GetLength(1) / patchSize;
        var x = Relu(Convolve(image, "stem", 2));
        var taps = new double[4][,];
        for (var i = 0; i < 4; i++)
        {
            x = Relu(Convolve(x, $"stages.{i}.enter", i == 3 ? 1 : 2));
            for (var j = 0; j < blocks[i]; j++)
            {
                var (before, after) = (x, Convolve(Relu(Convolve(x, $"stages.{i}.blocks.{j}.conv1", 1)), $"stages.{i}.blocks.{j}.conv2", 1));
                x = Relu(Fill(x.GetLength(0), x.GetLength(1), x.GetLength(2), (c, y, u) => before[c, y, u] + after[c, y, u]));
            }

            var cells = x.GetLength(1) > grid ? Averaged(x, grid) : Interpolated(x, grid);
            taps[i] = new double[grid * grid, values[$"taps.{i}.bias"].Length];
            for (var p = 0; p < grid * grid; p++)
            {
                var token = Linear([.. Enumerable.Range(0, x.GetLength(0)).Select(c => cells[c, p / grid, p % grid])], $"taps.{i}");
                for (var d = 0; d < token.Length; d++)
                {
                    taps[i][p, d] = token[d];
                }
            }
        }

        return (taps, Embedding(x));
    }

    /// <summary>Mean, then maximum, of each channel; two layers; unit length.</summary>
    private double[] Embedding(double[,,] last)
    {
        var channels = Enumerable.Range(0, last.GetLength(0)).Select(c =>
            Enumerable.Range(0, last.GetLength(1)).SelectMany(y => Enumerable.Range(0, last.GetLength(2)).Select(x => last[c, y, x])).ToArray()).ToArray();
        double[] pooled = [.. channels.Select(channel => channel.Average()), .. channels.Select(channel => channel.Max())];
        var output = Linear([.. Linear(pooled, "embed.hidden").Select(value => Math.Max(0, value))], "embed.out");
        var length = Math.Sqrt(output.Sum(value => value * value));
        return [.. output.Select(value => value / length)];
    }

    private double[] Linear(double[] input, string name)
    {
        var (weight, bias) = (values[name + ".weight"], values[name + ".bias"]);
        return [.. bias.Select((shift, o) => shift + input.Select((value, s) => value * weight[(o * input.Length) + s]).Sum())];
    }

    /// <summary>3 × 3, zeros around.</summary>
    private double[,,] Convolve(double[,,] input, string name, int stride)
    {
        var (kernel, bias) = (values[name + ".weight"], values[name + ".bias"]);
        var (channels, height, width) = (input.GetLength(0), input.GetLength(1), input.GetLength(2));
        return Fill(bias.Length, (height + stride - 1) / stride, (width + stride - 1) / stride, (o, y, x) =>
        {
            var sum = bias[o];
            for (var k = 0; k < 9; k++)
            {
                var (v, u) = ((y * stride) + (k / 3) - 1, (x * stride) + (k % 3) - 1);
                for (var s = 0; v >= 0 && v < height && u >= 0 && u < width && s < channels; s++)
                {
                    sum += kernel[(((o * channels) + s) * 9) + k] * input[s, v, u];
                }
            }

            return sum;
        });
    }

    /// <summary>Every cell of the grid is the mean of all places that it touches.</summary>
    private static double[,,] Averaged(double[,,] map, int grid)
    {
        var side = map.GetLength(1);
        int[] Touched(int cell) => [.. Enumerable.Range(0, side).Where(place => (place + 1) * grid > cell * side && place * grid < (cell + 1) * side)];
        return Fill(map.GetLength(0), grid, grid, (c, y, x) => Touched(y).Average(v => Touched(x).Average(u => map[c, v, u])));
    }

    /// <summary>Linear between the middles of the places, constant beyond the outer ones.</summary>
    private static double[,,] Interpolated(double[,,] map, int grid)
    {
        var side = map.GetLength(1);
        double Tent(int cell, int place) => Math.Max(0, 1 - Math.Abs(Math.Clamp(((cell + 0.5) * side / grid) - 0.5, 0, side - 1) - place));
        return Fill(map.GetLength(0), grid, grid, (c, y, x) =>
            Enumerable.Range(0, side).Sum(v => Tent(y, v) * Enumerable.Range(0, side).Sum(u => Tent(x, u) * map[c, v, u])));
    }

    private static double[,,] Relu(double[,,] map) => Fill(map.GetLength(0), map.GetLength(1), map.GetLength(2), (c, y, x) => Math.Max(0, map[c, y, x]));

    private static double[,,] Fill(int channels, int rows, int columns, Func<int, int, int, double> f)
    {
        var result = new double[channels, rows, columns];
        for (var c = 0; c < channels; c++)
        {
            for (var y = 0; y < rows; y++)
            {
                for (var x = 0; x < columns; x++)
                {
                    result[c, y, x] = f(c, y, x);
                }
            }
        }

        return result;
    }
}
