using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.Kag.NaiveMatrix;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>What both variants of the graph share, over named weights, in float64 loops.</summary>
internal sealed class NaiveLayers(IReadOnlyDictionary<string, torch.Tensor> weights, int width)
{
    /// <summary>(1) before it is normalised: the sum over the kernels, each resized back (bilinear, aligned corners).</summary>
    public double[,] Kernels(double[,] tokens)
    {
        var side = (int)Math.Sqrt(tokens.GetLength(0));
        var sum = new double[side * side, width];
        (int H, int W)[] sizes = [(1, 4), (4, 1), (2, 2), (3, 3)];
        for (var k = 0; k < sizes.Length; k++)
        {
            var (kernel, bias) = (Values($"kernels.{k}.weight"), Values($"kernels.{k}.bias"));
            var (h, w) = (side - sizes[k].H + 1, side - sizes[k].W + 1);
            for (var c = 0; c < width; c++)
            {
                var plane = new double[h, w];
                for (var y = 0; y < h; y++)
                {
                    for (var x = 0; x < w; x++)
                    {
                        plane[y, x] = bias[c];
                        for (var s = 0; s < width; s++)
                        {
                            for (var dy = 0; dy < sizes[k].H; dy++)
                            {
                                for (var dx = 0; dx < sizes[k].W; dx++)
                                {
                                    plane[y, x] += kernel[(((c * width) + s) * sizes[k].H + dy) * sizes[k].W + dx] * tokens[(y + dy) * side + x + dx, s];
                                }
                            }
                        }
                    }
                }

                for (var y = 0; y < side; y++)
                {
                    for (var x = 0; x < side; x++)
                    {
                        sum[y * side + x, c] += Sample(plane, y * (h - 1.0) / (side - 1), x * (w - 1.0) / (side - 1));
                    }
                }
            }
        }

        return sum;
    }

    private static double Sample(double[,] plane, double y, double x)
    {
        var (top, left) = ((int)Math.Floor(y), (int)Math.Floor(x));
        var (bottom, right) = (Math.Min(top + 1, plane.GetLength(0) - 1), Math.Min(left + 1, plane.GetLength(1) - 1));
        var (fy, fx) = (y - top, x - left);
        return (1 - fy) * ((1 - fx) * plane[top, left] + fx * plane[top, right]) + fy * ((1 - fx) * plane[bottom, left] + fx * plane[bottom, right]);
    }

    /// <summary>(10).</summary>
    public double[,] Update(double[,] message, double[,] node)
    {
        var x = Beside(message, node);
        var (z, r) = (Map(Linear(x, "gru.update"), Sigmoid), Map(Linear(x, "gru.reset"), Sigmoid));
        var c = Map(Linear(Beside(message, Combine(r, node, (a, b) => a * b)), "gru.candidate"), Math.Tanh);
        return Combine(Combine(z, node, (a, n) => (1 - a) * n), Combine(z, c, (a, b) => a * b), (a, b) => a + b);
    }

    public double[,] Linear(double[,] input, string name)
    {
        var (weight, bias, inputs) = (Values(name + ".weight"), Values(name + ".bias"), input.GetLength(1));
        return Fill(input.GetLength(0), bias.Length, (l, o) => bias[o] + Enumerable.Range(0, inputs).Sum(s => weight[o * inputs + s] * input[l, s]));
    }

    public double[] Values(string name) => weights[name].to_type(torch.ScalarType.Float64).data<double>().ToArray();
}
