using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods.Common;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>Normal patches of a class, layer by layer, and nothing else. Owns them.</summary>
internal sealed class PatchBankReference(MemoryBank bank) : ClassReference
{
    public MemoryBank Bank => bank;

    public override IReadOnlyDictionary<string, torch.Tensor> Tensors
        => bank.Layers.Select((layer, i) => (Name: $"bank.{i}", layer)).ToDictionary(entry => entry.Name, entry => entry.layer);

    /// <summary>The bank of a saved model. The caller owns it.</summary>
    /// <exception cref="ModelFormatException">A layer is missing or of another width.</exception>
    public static MemoryBank Read(ITensorSource source, IReadOnlyList<int> widths, torch.Device device)
    {
        using var scope = torch.NewDisposeScope();
        return MemoryBank.FromNormalized([.. widths.Select((width, layer)
            => StoredMatrix.Read(source, $"bank.{layer}", -1, width).to(device))]);
    }
}
