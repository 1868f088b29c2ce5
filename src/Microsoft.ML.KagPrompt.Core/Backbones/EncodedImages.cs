using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>What a method had encoded of a batch of images. Owns its tensors.</summary>
internal abstract class EncodedImages : IDisposable
{
    /// <summary>Every tensor it owns, once.</summary>
    public abstract IEnumerable<torch.Tensor> Tensors { get; }

    /// <summary>The same of other tensors, one for each of <see cref="Tensors"/>. The caller owns it; this stays as it is.</summary>
    public abstract EncodedImages Map(Func<torch.Tensor, torch.Tensor> change);

    public void Dispose()
    {
        foreach (var tensor in Tensors)
        {
            tensor.Dispose();
        }
    }
}
