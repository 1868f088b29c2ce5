using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Released;

/// <summary>What the authors' code computes.</summary>
internal sealed class ReleasedVariant : KagVariant
{
    public static readonly ReleasedVariant Instance = new();

    public override string HeadName => "kag.released";

    public override IEnumerable<ParameterLayout> GraphLayout(GraphPromptConfig config)
    {
        long c = config.JointWidth;
        return
        [
            new("edge.weight", [c, c], InitialValues.Uniform, c), new("message_gate.weight", [1, c], InitialValues.Small),
            .. ParameterLayout.Pair("fusion", InitialValues.Small, c, 3 * c, 3, 3),
            .. ParameterLayout.Pair("output", InitialValues.Small, c, 2 * c, 3, 3),
            new("output_norm.weight", [c], InitialValues.One), new("output_norm.bias", [c], InitialValues.Zero),
            new("output_norm.mean", [c], InitialValues.StatisticZero), new("output_norm.variance", [c], InitialValues.StatisticOne),
        ];
    }

    public override IMessageGraph NewGraph(GraphParameters parameters, int iterations) => new ReleasedGraph(parameters, iterations);

    public override Tensor Projected(Tensor linear) => linear.relu();

    public override Tensor Combined(Tensor sum, int kernels) => sum.Times(1.0 / kernels);

    /// <summary>O_i, then V_i: eight maps.</summary>
    public override Tensor Outputs(Tensor final, Tensor initial, GraphParameters parameters, bool training)
        => cat([ReleasedOutput.Forward(final, initial, parameters, training), initial], 0);

    public override Tensor LayerMaps(Tensor logits, Func<Tensor, Tensor> toImage) => toImage(logits).sigmoid();

    public override Tensor MeanMap(Tensor logits, Func<Tensor, Tensor> toImage) => LayerMaps(logits, toImage).mean([0]);

    /// <summary>The softmax over [similarity, 1 − similarity] of the upsampled similarity.</summary>
    public override Tensor MemoryMap(Tensor distances) => distances.Times(2).Plus(-1).sigmoid();

    public override int MapsOf(int nodes) => 2 * nodes;

    public override OnnxValue Projected(OnnxValue linear) => linear.Relu();

    public override OnnxValue Combined(OnnxValue sum, int kernels) => sum * (1.0 / kernels);

    public override OnnxValue Outputs(OnnxValue final, OnnxValue initial, GraphParameters parameters, int side)
        => new[] { ReleasedOutput.Emit(final, initial, parameters, side), initial }.Concat(0);

    public override OnnxValue MeanMap(OnnxValue logits, int maps, int imageSize, Func<OnnxValue, OnnxValue> toImage)
        => toImage(logits).Sigmoid().Reshape(maps, -1, imageSize, imageSize).Mean(0);

    public override OnnxValue MemoryMap(OnnxValue distances) => ((distances * 2) + -1).Sigmoid();

    public override Losses Loss(Tensor similarities, Tensor maps, Tensor masks, Tensor labels, float focalWeight, float diceWeight)
        => Losses.Released(similarities, maps, masks, labels, focalWeight, diceWeight);
}
