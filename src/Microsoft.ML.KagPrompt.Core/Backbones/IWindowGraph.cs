using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A tower of windows that can say in ONNX operators what <see cref="IWindowTower.EncodeWindows"/> computes.</summary>
internal interface IWindowGraph
{
    /// <summary>Normalised images [N, 3, S, S], N free, whole and by windows.</summary>
    /// <param name="images">The images.</param>
    /// <param name="imageSize">S.</param>
    /// <param name="windows">Of each kind, the patches of every window by number: [n, m].</param>
    WindowValues EmitWindows(OnnxValue images, int imageSize, IReadOnlyList<long[,]> windows);
}

/// <summary>As <see cref="WindowFeatures"/>, to be computed.</summary>
/// <param name="ImageEmbedding">[N, C'].</param>
/// <param name="PatchTokens">[N, L, D].</param>
/// <param name="Windows">Of each kind, [N, n, C'].</param>
internal sealed record WindowValues(OnnxValue ImageEmbedding, OnnxValue PatchTokens, IReadOnlyList<OnnxValue> Windows);
