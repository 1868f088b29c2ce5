using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A tower of stages that can say in ONNX operators what <see cref="IStageTower.EncodeStages"/> computes.</summary>
internal interface IStageGraph
{
    /// <summary>The stages' maps [N, W_i, side_i, side_i] of normalised images [N, 3, S, S].</summary>
    IReadOnlyList<OnnxValue> EmitStages(OnnxValue images);
}
