using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A convolutional tower whose stages' maps can be had whole, each on a grid of its own.</summary>
internal interface IStageTower : IVisionTower
{
    /// <summary>The stages it computes, shallow to deep.</summary>
    IReadOnlyList<StageInfo> Stages { get; }

    /// <summary>
    /// Their maps of normalised images [B, 3, S, S]: [B, W_i, side_i, side_i], 32 bit, without gradients. The caller owns them.
    /// </summary>
    IReadOnlyList<torch.Tensor> EncodeStages(torch.Tensor images);
}

/// <summary>A stage of a convolutional tower.</summary>
/// <param name="Width">Its channels.</param>
/// <param name="Step">Pixels a cell of its map.</param>
internal sealed record StageInfo(int Width, int Step)
{
    /// <summary>Cells along a side of the map of an S × S image: what padded strides leave.</summary>
    public int Side(int imageSize) => (imageSize + Step - 1) / Step;
}
