using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Equation (10) of KAG-prompt: a ConvGRU with 1×1 kernels, the same in both variants.</summary>
internal static class GatedUpdate
{
    /// <summary>h_i and N_i: [..., C'] each → the next N_i.</summary>
    public static Tensor Apply(GraphParameters parameters, Tensor totals, Tensor nodes)
    {
        var both = cat([totals, nodes], -1);                                                   // [..., 2C']
        // Of one input: one product for both.
        var gates = functional.linear(both, Stacked("weight"), Stacked("bias")).sigmoid_().chunk(2, -1);
        var (update, reset) = (gates[0], gates[1]);
        var candidate = functional.linear(cat([totals, reset * nodes], -1), parameters["gru.candidate.weight"],
            parameters["gru.candidate.bias"]).tanh_();
        return nodes.lerp(candidate, update);

        Tensor Stacked(string part) => cat([parameters[$"gru.update.{part}"], parameters[$"gru.reset.{part}"]], 0);
    }

    /// <summary>The same in ONNX operators.</summary>
    public static OnnxValue Emit(GraphParameters parameters, OnnxValue totals, OnnxValue nodes)
    {
        var both = new[] { totals, nodes }.Concat(-1);
        var update = Linear("gru.update", both).Sigmoid();
        var reset = Linear("gru.reset", both).Sigmoid();
        var candidate = Linear("gru.candidate", new[] { totals, reset * nodes }.Concat(-1)).Tanh();
        return nodes + (update * (candidate - nodes));

        OnnxValue Linear(string name, OnnxValue input) => input.Linear(parameters[$"{name}.weight"], parameters[$"{name}.bias"]);
    }
}
