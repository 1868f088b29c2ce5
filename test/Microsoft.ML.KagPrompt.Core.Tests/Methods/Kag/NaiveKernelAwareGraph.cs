using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.Kag.NaiveMatrix;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Equations (1) to (11) for one image, one number at a time in float64: slow, plain, and written apart from the network.</summary>
internal sealed class NaiveKernelAwareGraph(IReadOnlyDictionary<string, torch.Tensor> weights, int width, int iterations)
{
    private readonly NaiveLayers layers = new(weights, width);

    /// <summary>Tokens of each layer [L, D_i] → outputs of each layer [L, C'].</summary>
    public double[][,] Forward(double[][,] tokens)
    {
        var count = tokens.Length;
        var initial = tokens.Select((layer, i) => UnitRows(layers.Kernels(layers.Linear(layer, $"projection.{i}")))).ToArray();
        var nodes = initial;
        for (var t = 0; t < iterations; t++)
        {
            var totals = new double[count][,];
            for (var i = 0; i < count; i++)
            {
                totals[i] = new double[nodes[i].GetLength(0), width];
                for (var j = 0; j < count; j++)
                {
                    AddGated(totals[i], j == i ? Loop(nodes[i]) : Multiply(SoftmaxRows(Edge(nodes, i, j)), nodes[j]));
                }
            }

            nodes = [.. nodes.Select((node, i) => layers.Update(totals[i], node))];
        }

        return [.. nodes.Select((node, i) => Combine(node, initial[i], (n, v) => n + v))];
    }

    private double[,] Loop(double[,] node)
    {
        var attention = SoftmaxRows(Multiply(layers.Linear(node, "intra.query"), Transpose(layers.Linear(node, "intra.key"))));
        var alpha = layers.Values("intra.alpha")[0];
        return Combine(Multiply(attention, layers.Linear(node, "intra.value")), node, (a, n) => alpha * a + n);
    }

    /// <summary>(4) for i &lt; j, (5) for i &gt; j, each as written.</summary>
    private double[,] Edge(double[][,] nodes, int i, int j)
    {
        var w = layers.Values("inter.weight");
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
        var (weight, bias) = (layers.Values("gate.weight"), layers.Values("gate.bias"));
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
}
