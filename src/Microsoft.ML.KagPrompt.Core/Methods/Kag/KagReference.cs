using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>A class's prompts' features and its normal patches. Owns both.</summary>
internal sealed class KagReference(torch.Tensor? textFeatures, MemoryBank? bank) : ClassReference
{
    public override torch.Tensor? TextFeatures { get; } = textFeatures;

    /// <summary>The memory bank; null before supports are known.</summary>
    public MemoryBank? Bank { get; } = bank;

    public override IReadOnlyDictionary<string, torch.Tensor> Tensors
    {
        get
        {
            var tensors = (Bank?.Layers ?? []).Select((layer, i) => (Name: $"bank.{i}", layer)).ToDictionary(entry => entry.Name, entry => entry.layer);
            if (TextFeatures is not null)
            {
                tensors.Add("text", TextFeatures);
            }

            return tensors;
        }
    }
}
