using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Released;

/// <summary>
/// The authors' output stage: O_i = ReLU(BatchNorm(conv3×3([N_i^T, V_i]))).
/// Training normalises every image and layer by itself and keeps running statistics.
/// </summary>
internal static class ReleasedOutput
{
    private const double Epsilon = 1e-5;
    private const double Momentum = 0.1;

    // Values of the response of all layers above which one layer is made after the other.
    private const long LargestAtOnce = 1 << 24;

    /// <summary>N^T and V: [4, B, L, C'] each → O: [4, B, L, C'].</summary>
    public static Tensor Forward(Tensor nodes, Tensor initial, GraphParameters parameters, bool training)
    {
        var (layers, batch, patches, width) = (nodes.shape[0], nodes.shape[1], nodes.shape[2], nodes.shape[3]);
        if (!training && !is_grad_enabled() && layers > 1 && nodes.numel() > LargestAtOnce)
        {
            return cat([.. Enumerable.Range(0, (int)layers).Select(i
                => OneLayer(nodes.narrow(0, i, 1), initial.narrow(0, i, 1), parameters))], 0);
        }

        var side = MultiKernelConvolution.GridSide(patches);
        var grid = cat([nodes, initial], -1).flatten(0, 1).transpose(1, 2).reshape(layers * batch, 2 * width, side, side);
        var response = Convolution.Apply(grid, parameters["output.weight"], parameters["output.bias"], padding: 1)
            .flatten(2);                                                                       // [4B, C', L]
        var (mean, variance) = training ? OwnStatistics(response, parameters) : Kept(parameters);
        var normal = response.Minus(mean) / variance.Plus(Epsilon).sqrt();
        var scaled = (normal * Channel(parameters["output_norm.weight"])).Plus(Channel(parameters["output_norm.bias"]));
        return scaled.relu().transpose(1, 2).reshape(layers, batch, patches, width);
    }

    private static Tensor OneLayer(Tensor nodes, Tensor initial, GraphParameters parameters)
    {
        using var scope = NewDisposeScope();
        return Forward(nodes, initial, parameters, training: false).MoveToOuterDisposeScope();
    }

    /// <summary>The same in ONNX operators, not training: [4, N, side², C'] each → [4, N, side², C'].</summary>
    public static OnnxValue Emit(OnnxValue nodes, OnnxValue initial, GraphParameters parameters, long side)
    {
        using var scope = NewDisposeScope();
        var width = parameters["output_norm.mean"].shape[0];
        var grid = new[] { nodes, initial }.Concat(-1).Reshape(-1, side * side, 2 * width).AsMap(side);
        var response = grid.Conv(parameters["output.weight"], parameters["output.bias"], padding: 1).Reshape(0, 0, -1);
        var graph = nodes.Graph;
        var normal = (response - graph.Constant(Channel(parameters["output_norm.mean"])))
            / graph.Constant(Channel(parameters["output_norm.variance"]).Plus(Epsilon).sqrt());
        var scaled = (normal * graph.Constant(Channel(parameters["output_norm.weight"])))
            + graph.Constant(Channel(parameters["output_norm.bias"]));
        return scaled.Relu().Swap().Reshape(4, -1, side * side, width);
    }

    private static (Tensor Mean, Tensor Variance) Kept(GraphParameters parameters)
        => (Channel(parameters["output_norm.mean"]), Channel(parameters["output_norm.variance"]));

    /// <summary>Mean and (biased) variance over each image's patches: [4B, C', 1] each.</summary>
    private static (Tensor Mean, Tensor Variance) OwnStatistics(Tensor response, GraphParameters parameters)
    {
        var mean = response.mean([2], keepdim: true);
        var variance = response.Minus(mean).Squared().mean([2], keepdim: true);
        using var noGradients = no_grad();
        var patches = response.shape[2];
        Follow(parameters["output_norm.mean"], mean.detach().squeeze(2));
        Follow(parameters["output_norm.variance"], variance.detach().squeeze(2).Times(patches / Math.Max(1.0, patches - 1)));
        return (mean, variance);
    }

    /// <summary>running ← 0.9 running + 0.1 value for one row after another, as one weighted sum.</summary>
    private static void Follow(Tensor running, Tensor rows)
    {
        var count = (int)rows.shape[0];
        var weights = tensor([.. Enumerable.Range(0, count).Select(k => (float)(Momentum * Math.Pow(1 - Momentum, count - 1 - k)))],
            device: rows.device);
        running.copy_(running.Times(Math.Pow(1 - Momentum, count)).Plus(weights.unsqueeze(0).matmul(rows).squeeze(0)));
    }

    private static Tensor Channel(Tensor values) => values.view(1, -1, 1);
}
