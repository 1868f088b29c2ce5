using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.PatchCore;

/// <summary>A class's bank of patch embeddings. Owns it.</summary>
internal sealed class PatchCoreReference : ClassReference
{
    /// <summary>Takes over the bank.</summary>
    public PatchCoreReference(torch.Tensor bank)
    {
        using var scope = torch.NewDisposeScope();
        Bank = bank.DetachFromDisposeScope();
        Directions = MemoryBank.FromNormalized([Bank.UnitLength(1)]);
    }

    /// <summary>[M, T].</summary>
    public torch.Tensor Bank { get; }

    /// <summary>The same at unit length: what an image lacks is told by directions, whatever the method.</summary>
    public MemoryBank Directions { get; }

    public override IReadOnlyDictionary<string, torch.Tensor> Tensors => new Dictionary<string, torch.Tensor> { ["bank.0"] = Bank };

    public override void Dispose()
    {
        Directions.Dispose();
        base.Dispose();
    }
}
