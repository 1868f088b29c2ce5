using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Paper;

/// <summary>What the equations say.</summary>
internal sealed class PaperVariant : KagVariant
{
    public static readonly PaperVariant Instance = new();

    public override string HeadName => "kag.paper";

    public override IEnumerable<ParameterLayout> GraphLayout(GraphPromptConfig config)
    {
        long c = config.JointWidth;
        return
        [
            .. ParameterLayout.Pair("intra.query", InitialValues.Small, config.QueryWidth, c),
            .. ParameterLayout.Pair("intra.key", InitialValues.Small, config.QueryWidth, c),
            .. ParameterLayout.Pair("intra.value", InitialValues.Small, c, c), new("intra.alpha", [1], InitialValues.Zero),
            new("inter.weight", [c, c], InitialValues.Uniform, c), .. ParameterLayout.Pair("gate", InitialValues.Small, c, c),
        ];
    }

    public override IMessageGraph NewGraph(GraphParameters parameters, int iterations) => new KernelAwareGraph(parameters, iterations);

    public override bool TakesAtOnce(IReadOnlyList<Tensor> patchTokens) => FusedGraph.Takes(patchTokens);

    public override Tensor OutputsAtOnce(GraphParameters parameters, GraphPromptConfig config, IReadOnlyList<Tensor> patchTokens)
        => FusedGraph.Outputs(parameters, config, patchTokens);

    public override Tensor Projected(Tensor linear) => linear;

    /// <summary>At unit length over the channels; L2 is our reading.</summary>
    public override Tensor Combined(Tensor sum, int kernels) => sum.UnitLength(1);

    public override Tensor Outputs(Tensor final, Tensor initial, GraphParameters parameters, bool training)
        => final.Plus(initial);   // (11)

    public override Tensor LayerMaps(Tensor logits, Func<Tensor, Tensor> toImage) => toImage(logits.sigmoid());

    // Upsampling is linear: averaging first gives the same and costs a quarter.
    public override Tensor MeanMap(Tensor logits, Func<Tensor, Tensor> toImage) => toImage(logits.sigmoid().mean([0]));

    public override Tensor MemoryMap(Tensor distances) => distances;

    public override int MapsOf(int nodes) => nodes;

    public override OnnxValue Projected(OnnxValue linear) => linear;

    public override OnnxValue Combined(OnnxValue sum, int kernels) => sum.UnitLength(1);

    public override OnnxValue Outputs(OnnxValue final, OnnxValue initial, GraphParameters parameters, int side) => final + initial;

    public override OnnxValue MeanMap(OnnxValue logits, int maps, int imageSize, Func<OnnxValue, OnnxValue> toImage)
        => toImage(logits.Sigmoid().Mean(0));

    public override OnnxValue MemoryMap(OnnxValue distances) => distances;

    public override Losses Loss(Tensor similarities, Tensor maps, Tensor masks, Tensor labels, float focalWeight, float diceWeight)
        => Losses.Paper(similarities, maps, masks, labels, focalWeight, diceWeight);
}
