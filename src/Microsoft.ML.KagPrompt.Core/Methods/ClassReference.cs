using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>What a class brings to scoring, as its method keeps it. Owns its tensors; reading is thread-safe.</summary>
internal abstract class ClassReference : IDisposable
{
    /// <summary>Every tensor by name, for the archive. The reference keeps ownership.</summary>
    public abstract IReadOnlyDictionary<string, torch.Tensor> Tensors { get; }

    /// <summary>
    /// What words, or learning from the supports, brought: F_text = [F_n, F_a], [2, C'], of KAG-prompt; null where the method uses no text.
    /// </summary>
    public virtual torch.Tensor? TextFeatures => null;

    /// <summary>What of the class's images is inspected; null: all.</summary>
    public ClassRegion? Region { get; init; }

    public virtual void Dispose()
    {
        foreach (var tensor in Tensors.Values)
        {
            tensor.Dispose();
        }

        DisposeDerived();
    }

    /// <summary>What is made of the tensors and not saved.</summary>
    private protected virtual void DisposeDerived() { }
}
