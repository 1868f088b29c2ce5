using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A vision tower that can say what it computes in ONNX operators.</summary>
internal interface IVisionGraph
{
    /// <summary>As <see cref="IVisionTower.Encode"/>: normalised images [N, 3, S, S], N free.</summary>
    /// <param name="images">The images.</param>
    /// <param name="imageSize">S.</param>
    VisionValues Emit(OnnxValue images, int imageSize);
}

/// <summary>As <see cref="VisionFeatures"/>, to be computed.</summary>
/// <param name="PatchTokens">P_i, [N, L_i, D_i] each.</param>
/// <param name="ImageEmbedding">F_cls, [N, C'].</param>
/// <param name="PromptTokens">What a graph prompt sees.</param>
internal sealed record VisionValues(IReadOnlyList<OnnxValue> PatchTokens, OnnxValue ImageEmbedding, IReadOnlyList<OnnxValue> PromptTokens);
