using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Graph;

/// <summary>Equations (1) to (11) for one image, one number at a time in float64: slow, plain, and written apart from the network.</summary>
internal sealed class NaiveKernelAwareGraph(IReadOnlyDictionary<string, Tensor> weights, int width, int iterations)
{
    /// <summary>Tokens of each layer [L, D_i] → outputs of each layer [L, C'].</summary>
    public double[][,] Forward(double[][,] tokens)
    {
        var layers = tokens.Length;
        var initial = tokens.Select((layer, i) => Kernels(Linear(layer, $"projection.{i}"))).ToArray();
        var nodes = initial;
        for (var t = 0; t < iterations; t++)
        {
            var totals = new double[layers][,];
            for (var i = 0; i < layers; i++)
            {
                totals[i] = new double[nodes[i].GetLength(0), width];
                for (var j = 0; j < layers; j++)
                {
                    AddGated(totals[i], j == i ? Loop(nodes[i]) : Multiply(SoftmaxRows(Edge(nodes, i, j)), nodes[j]));
                }
            }

            nodes = [.. nodes.Select((node, i) => Update(totals[i], node))];
        }

        return [.. nodes.Select((node, i) => Combine(node, initial[i], (n, v) => n + v))];
    }

    private double[,] Kernels(double[,] tokens)
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

        for (var l = 0; l < side * side; l++)
        {
            var norm = Math.Sqrt(Enumerable.Range(0, width).Sum(c => sum[l, c] * sum[l, c]));
            for (var c = 0; c < width; c++)
            {
                sum[l, c] /= norm;
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

    private double[,] Loop(double[,] node)
    {
        var attention = SoftmaxRows(Multiply(Linear(node, "intra.query"), Transpose(Linear(node, "intra.key"))));
        var alpha = Values("intra.alpha")[0];
        return Combine(Multiply(attention, Linear(node, "intra.value")), node, (a, n) => alpha * a + n);
    }

    /// <summary>(4) for i &lt; j, (5) for i &gt; j, each as written.</summary>
    private double[,] Edge(double[][,] nodes, int i, int j)
    {
        var w = Values("inter.weight");
        var c = new double[width, width];
        for (var a = 0; a < width; a++)
        {
            for (var b = 0; b < width; b++)
            {
                c[a, b] = w[i < j ? a * width + b : b * width + a];
            }
        }

        return Multiply(Multiply(nodes[i], c), Transpose(nodes[j]));
    }

    private void AddGated(double[,] total, double[,] message)
    {
        var (weight, bias) = (Values("gate.weight"), Values("gate.bias"));
        var length = message.GetLength(0);
        for (var c = 0; c < width; c++)
        {
            var pooled = 0.0;
            for (var l = 0; l < length; l++)
            {
                pooled += (bias[c] + Enumerable.Range(0, width).Sum(s => weight[c * width + s] * message[l, s])) / length;
            }

            for (var l = 0; l < length; l++)
            {
                total[l, c] += Sigmoid(pooled) * message[l, c];
            }
        }
    }

    private double[,] Update(double[,] message, double[,] node)
    {
        var x = Beside(message, node);
        var (z, r) = (Map(Linear(x, "gru.update"), Sigmoid), Map(Linear(x, "gru.reset"), Sigmoid));
        var c = Map(Linear(Beside(message, Combine(r, node, (a, b) => a * b)), "gru.candidate"), Math.Tanh);
        return Combine(Combine(z, node, (a, n) => (1 - a) * n), Combine(z, c, (a, b) => a * b), (a, b) => a + b);
    }

    private double[,] Linear(double[,] input, string name)
    {
        var (weight, bias, inputs) = (Values(name + ".weight"), Values(name + ".bias"), input.GetLength(1));
        return Fill(input.GetLength(0), bias.Length, (l, o) => bias[o] + Enumerable.Range(0, inputs).Sum(s => weight[o * inputs + s] * input[l, s]));
    }

    private double[] Values(string name) => weights[name].to_type(ScalarType.Float64).data<double>().ToArray();

    private static double Sigmoid(double value) => 1 / (1 + Math.Exp(-value));

    private static double[,] SoftmaxRows(double[,] x)
    {
        var sums = Enumerable.Range(0, x.GetLength(0)).Select(l => Enumerable.Range(0, x.GetLength(1)).Sum(m => Math.Exp(x[l, m]))).ToArray();
        return Fill(x.GetLength(0), x.GetLength(1), (l, m) => Math.Exp(x[l, m]) / sums[l]);
    }

    private static double[,] Multiply(double[,] a, double[,] b) =>
        Fill(a.GetLength(0), b.GetLength(1), (i, j) => Enumerable.Range(0, a.GetLength(1)).Sum(k => a[i, k] * b[k, j]));

    private static double[,] Transpose(double[,] a) => Fill(a.GetLength(1), a.GetLength(0), (i, j) => a[j, i]);

    private static double[,] Beside(double[,] a, double[,] b) =>
        Fill(a.GetLength(0), a.GetLength(1) + b.GetLength(1), (i, j) => j < a.GetLength(1) ? a[i, j] : b[i, j - a.GetLength(1)]);

    private static double[,] Map(double[,] a, Func<double, double> f) => Fill(a.GetLength(0), a.GetLength(1), (i, j) => f(a[i, j]));

    private static double[,] Combine(double[,] a, double[,] b, Func<double, double, double> f) => Fill(a.GetLength(0), a.GetLength(1), (i, j) => f(a[i, j], b[i, j]));

    private static double[,] Fill(int rows, int columns, Func<int, int, double> f)
    {
        var result = new double[rows, columns];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                result[i, j] = f(i, j);
            }
        }

        return result;
    }
}
