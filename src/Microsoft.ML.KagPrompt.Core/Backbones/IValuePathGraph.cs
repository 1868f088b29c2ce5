using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A tower of two streams that can say in ONNX operators what <see cref="IValuePathTower.EncodeValuePath"/> computes.</summary>
internal interface IValuePathGraph
{
    /// <summary>Normalised images [N, 3, S, S], N free, along both streams.</summary>
    /// <param name="images">The images.</param>
    /// <param name="imageSize">S.</param>
    /// <param name="attended">Blocks, counted from 0, whose ordinary stream is wanted after their attention.</param>
    ValuePathValues EmitValuePath(OnnxValue images, int imageSize, IReadOnlyList<int> attended);
}

/// <summary>As <see cref="ValuePathFeatures"/>, to be computed.</summary>
/// <param name="ImageEmbedding">[N, C'].</param>
/// <param name="PatchEmbeddings">[N, L, C'].</param>
/// <param name="Attended">[N, L, D] each.</param>
internal sealed record ValuePathValues(OnnxValue ImageEmbedding, OnnxValue PatchEmbeddings, IReadOnlyList<OnnxValue> Attended);
