using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>
/// A vision tower whose image embedding is made of its deepest map by weights of its own, named "embed.…",
/// which can be taught apart from the rest.
/// </summary>
internal interface IPooledEmbedding
{
    /// <summary>The map that the embedding is made of: [B, W, h, w] of normalised images.</summary>
    torch.Tensor Deepest(torch.Tensor images);

    /// <summary>F_cls of such a map, at unit length: [B, C']; with gradients where the weights ask for them.</summary>
    torch.Tensor Embed(torch.Tensor deepest);
}
