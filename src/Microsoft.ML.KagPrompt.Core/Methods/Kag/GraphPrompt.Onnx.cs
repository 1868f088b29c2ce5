using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <content>The same in ONNX operators.</content>
internal sealed partial class GraphPrompt
{
    /// <summary>As <see cref="Nodes"/>: 4 × [N, side², D_i] → [M, N, side², C'].</summary>
    public OnnxValue Emit(IReadOnlyList<OnnxValue> patchTokens, int side)
    {
        var projected = patchTokens.Select((tokens, i)
            => variant.Projected(tokens.Linear(parameters[$"projection.{i}.weight"], parameters[$"projection.{i}.bias"]))).ToArray();
        var initial = MultiKernelConvolution.Emit(projected.Concat(0), parameters, variant, side)
            .Reshape(projected.Length, -1, (long)side * side, config.JointWidth);                   // V
        return variant.Outputs(graph.Emit(initial, side), initial, parameters, side);
    }

    /// <summary>The second of <see cref="ImageSimilarities"/>, cos(FC(F_cls), F_a): [N, C'] → [N].</summary>
    public OnnxValue EmitScore(OnnxValue imageEmbedding, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        var adapted = imageEmbedding.Linear(parameters["adapter.weight"], parameters["adapter.bias"]).UnitLength(-1);
        return (adapted * adapted.Graph.Constant(textFeatures.select(-2, 1))).Sum(-1);
    }
}
