using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.Kag.NaiveMatrix;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>The authors' graph for one image, one number at a time in float64, written from its description and apart from the network.</summary>
internal sealed class NaiveReleasedGraph(IReadOnlyDictionary<string, torch.Tensor> weights, int width, int iterations)
{
    private readonly NaiveLayers layers = new(weights, width);

    /// <summary>Tokens of each layer [L, D_i] → graph outputs, then V, of each layer [L, C'].</summary>
    /// <param name="tokens">Of one image.</param>
    /// <param name="ownStatistics">Whether each layer is normalised by its own mean and variance, as in training.</param>
    public double[][,] Forward(double[][,] tokens, bool ownStatistics)
    {
        var initial = tokens.Select((layer, i) => Map(layers.Kernels(Map(layers.Linear(layer, $"projection.{i}"), value => Math.Max(0, value))), value => value / 4)).ToArray();
        var nodes = initial;
        for (var t = 0; t < iterations; t++)
        {
            var current = nodes;
            nodes = [.. current.Select((node, i) => layers.Update(Convolve(Messages(current, i), "fusion"), node))];
        }

        return [.. nodes.Select((node, i) => Normalised(Convolve(Beside(node, initial[i]), "output"), ownStatistics)), .. initial];
    }

    /// <summary>What the three others send to node i, gated, side by side.</summary>
    private double[,] Messages(double[][,] nodes, int i)
    {
        var (edge, gate) = (layers.Values("edge.weight"), layers.Values("message_gate.weight"));
        var query = Fill(nodes[i].GetLength(0), width, (l, c) => Enumerable.Range(0, width).Sum(s => edge[(c * width) + s] * nodes[i][l, s]));
        return Enumerable.Range(0, nodes.Length).Where(j => j != i).Select(j =>
        {
            var message = Multiply(SoftmaxRows(Multiply(query, Transpose(nodes[j]))), nodes[j]);
            return Fill(message.GetLength(0), width, (l, c) => message[l, c] * Sigmoid(Enumerable.Range(0, width).Sum(s => gate[s] * message[l, s])));
        }).Aggregate(Beside);
    }

    /// <summary>3×3, zeros around.</summary>
    private double[,] Convolve(double[,] input, string name)
    {
        var (kernel, bias, inputs, side) = (layers.Values($"{name}.weight"), layers.Values($"{name}.bias"), input.GetLength(1), (int)Math.Sqrt(input.GetLength(0)));
        return Fill(side * side, width, (l, c) =>
        {
            var sum = bias[c];
            for (var k = 0; k < 9; k++)
            {
                var (y, x) = ((l / side) + (k / 3) - 1, (l % side) + (k % 3) - 1);
                for (var s = 0; y >= 0 && y < side && x >= 0 && x < side && s < inputs; s++)
                {
                    sum += kernel[(((c * inputs) + s) * 9) + k] * input[(y * side) + x, s];
                }
            }

            return sum;
        });
    }

    private double[,] Normalised(double[,] response, bool ownStatistics)
    {
        var (scale, shift) = (layers.Values("output_norm.weight"), layers.Values("output_norm.bias"));
        var count = response.GetLength(0);
        var mean = ownStatistics ? [.. Enumerable.Range(0, width).Select(c => Enumerable.Range(0, count).Average(l => response[l, c]))] : layers.Values("output_norm.mean");
        var variance = ownStatistics ? [.. Enumerable.Range(0, width).Select(c => Enumerable.Range(0, count).Average(l => Math.Pow(response[l, c] - mean[c], 2)))] : layers.Values("output_norm.variance");
        return Fill(count, width, (l, c) => Math.Max(0, ((response[l, c] - mean[c]) / Math.Sqrt(variance[c] + 1e-5) * scale[c]) + shift[c]));
    }
}
