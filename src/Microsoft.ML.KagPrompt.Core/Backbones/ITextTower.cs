using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A frozen network that turns token rows into embeddings beside the image embedding.</summary>
/// <remarks>Encoding is thread-safe; moving and disposing are not.</remarks>
internal interface ITextTower : IDisposable
{
    /// <summary>Width C' of the embedding.</summary>
    int JointWidth { get; }

    /// <summary>
    /// Encodes token ids [N, context] (int64) to L2-normalised embeddings [N, C'] times the logit scale where the family has one.
    /// The caller owns the result.
    /// </summary>
    torch.Tensor Encode(torch.Tensor tokens);

    /// <summary>
    /// As <see cref="Encode"/>, of the length the tower gives them and without the logit scale. The caller owns the result.
    /// </summary>
    torch.Tensor Embed(torch.Tensor tokens);

    /// <summary>Moves the weights.</summary>
    void MoveTo(torch.Device device);
}
