using Microsoft.ML.KagPrompt.Backbones.Residual;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.ResNet18Weights;

/// <summary>Batch normalisation folded into the convolution before it, in 64 bit: γ (W x − μ) / √(σ² + ε) + β.</summary>
internal static class Folding
{
    private const double Epsilon = 1e-5;

    /// <summary>Weights under the tower's names. The stem takes red, green, blue at unit deviation instead of blue, green, red in 0..255.</summary>
    public static IReadOnlyDictionary<string, Tensor> Fold(OnnxGraph graph, ResidualNetworkConfig config, double deviation)
    {
        var convolutions = graph.Nodes.Where(node => node.Kind == "Conv").ToArray();
        var normalisations = graph.Nodes.Where(node => node.Kind == "BatchNormalization").ToDictionary(node => node.Inputs[0]);
        // In the file as in the tower: stem, then block by block; a shortcut is told by its 1 × 1 kernel and may stand before or after the block's others.
        var weights = new Dictionary<string, Tensor>();
        var spatial = new Queue<OnnxGraph.Node>(convolutions.Where(node => graph.Initializers[node.Inputs[1]].Shape[3] > 1));
        var pointwise = new Queue<OnnxGraph.Node>(convolutions.Where(node => graph.Initializers[node.Inputs[1]].Shape[3] == 1));
        foreach (var name in ResidualNetwork.Shapes(config).Keys.Where(name => name.EndsWith(".weight", StringComparison.Ordinal)).Select(name => name[..^".weight".Length]))
        {
            var node = (name.EndsWith("shortcut", StringComparison.Ordinal) ? pointwise : spatial).Dequeue();
            var (kernel, bias) = Fold(graph, node, normalisations[node.Output]);
            weights[$"{name}.weight"] = (name == "stem" ? kernel.flip(1).mul(255 * deviation) : kernel).to(ScalarType.Float32).contiguous();
            weights[$"{name}.bias"] = bias.to(ScalarType.Float32);
        }

        return spatial.Count + pointwise.Count == 0 ? weights : throw new InvalidDataException($"{spatial.Count + pointwise.Count} convolutions are left over.");
    }

    private static (Tensor Kernel, Tensor Bias) Fold(OnnxGraph graph, OnnxGraph.Node convolution, OnnxGraph.Node normalisation)
    {
        var kernel = Values(graph, convolution.Inputs[1]);
        var (scale, shift, mean, variance) = (Values(graph, normalisation.Inputs[1]), Values(graph, normalisation.Inputs[2]), Values(graph, normalisation.Inputs[3]), Values(graph, normalisation.Inputs[4]));
        var factor = scale / variance.add(Epsilon).sqrt();
        return (kernel * factor.view(-1, 1, 1, 1), shift - (mean * factor));
    }

    private static Tensor Values(OnnxGraph graph, string name) => tensor(graph.Initializers[name].Data, graph.Initializers[name].Shape).to(ScalarType.Float64);
}
