using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>What a method had encoded of a batch of images. Owns its tensors.</summary>
internal abstract class EncodedImages : IDisposable
{
    /// <summary>Every tensor it owns, once.</summary>
    public abstract IEnumerable<torch.Tensor> Tensors { get; }

    public void Dispose()
    {
        foreach (var tensor in Tensors)
        {
            tensor.Dispose();
        }
    }
}
