using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A text tower that can be told rows of embeddings in the place of words, and passes gradients on to them.</summary>
/// <remarks>Thread-safe.</remarks>
internal interface IPromptableTextTower : ITextTower
{
    /// <summary>Length of a token's embedding.</summary>
    int Width { get; }

    /// <summary>The logit scale as it is stored: its logarithm in the families that have one.</summary>
    float StoredLogitScale { get; }

    /// <summary>
    /// The embeddings of token ids [N, context] before positions are added: [N, context, T], without gradients. The caller owns the result.
    /// </summary>
    torch.Tensor EmbeddingsOf(torch.Tensor tokens);

    /// <summary>
    /// Encodes embeddings to the joint space, of any length, with gradients: [N, context, T] → [N, C']. The caller owns the result.
    /// </summary>
    /// <param name="embeddings">Embeddings before positions are added.</param>
    /// <param name="tokens">The ids they stand for, [N, context]: the largest of a row says where its text ends.</param>
    torch.Tensor EncodeEmbeddings(torch.Tensor embeddings, torch.Tensor tokens);
}
