using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>A class's prompts' features and its normal patches. Owns them.</summary>
internal sealed class KagReference(torch.Tensor? textFeatures, MemoryBank? bank, NearReference? near = null) : ClassReference
{
    public override torch.Tensor? TextFeatures { get; } = textFeatures;

    /// <summary>The memory bank; null before supports are known.</summary>
    public MemoryBank? Bank { get; } = bank;

    /// <summary>The bank's patches by their places; null where they are not looked up so.</summary>
    public NearReference? Near { get; } = near;

    /// <summary>
    /// Of each support, layer by layer, which of its patches the bank has, and for how many each stands; null where all. Null in a model
    /// that was loaded.
    /// </summary>
    public IReadOnlyList<(long[] Rows, int[] StandFor)?[]>? Coresets { get; init; }

    public override IReadOnlyDictionary<string, torch.Tensor> Tensors
    {
        get
        {
            var tensors = (Bank?.Layers ?? []).Select((layer, i) => (Name: $"bank.{i}", layer))
                .ToDictionary(entry => entry.Name, entry => entry.layer);
            foreach (var (i, weights) in (Bank?.Weights ?? []).Index())
            {
                tensors.Add($"weights.{i}", weights);
            }

            if (TextFeatures is not null)
            {
                tensors.Add("text", TextFeatures);
            }

            foreach (var (name, tensor) in Near?.Tensors ?? new Dictionary<string, torch.Tensor>())
            {
                tensors.Add(name, tensor);
            }

            return tensors;
        }
    }

    private protected override void DisposeDerived() => Near?.Matches.Dispose();
}
