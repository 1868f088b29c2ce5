using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Spade;

/// <summary>A class's support images as SPADE remembers them. Owns them.</summary>
internal sealed class SpadeReference : ClassReference
{
    /// <summary>Takes over the tensors.</summary>
    /// <param name="descriptors">[N, D].</param>
    /// <param name="counts">How many features each image has of each layer: [N, layers], in floats as the archive has them.</param>
    /// <param name="layers">[Σ n_i, C] each.</param>
    public SpadeReference(torch.Tensor descriptors, torch.Tensor counts, IReadOnlyList<torch.Tensor> layers)
    {
        using var scope = torch.NewDisposeScope();
        (Descriptors, Counts) = (descriptors.DetachFromDisposeScope(), counts.DetachFromDisposeScope());
        Layers = [.. layers.Select(layer => layer.DetachFromDisposeScope())];
        Directions = MemoryBank.FromNormalized([Layers[^1].UnitLength(1)]);
    }

    public torch.Tensor Descriptors { get; }

    public torch.Tensor Counts { get; }

    public IReadOnlyList<torch.Tensor> Layers { get; }

    /// <summary>The deepest layer's features at unit length: what an image lacks is told by directions, whatever the method.</summary>
    public MemoryBank Directions { get; }

    public override IReadOnlyDictionary<string, torch.Tensor> Tensors
        => Layers.Index().ToDictionary(entry => $"bank.{entry.Index}", entry => entry.Item)
            .Append(new("descriptors", Descriptors)).Append(new("counts", Counts)).ToDictionary(entry => entry.Key, entry => entry.Value);

    public override void Dispose()
    {
        Directions.Dispose();
        base.Dispose();
    }

    /// <summary>What is searched in. It owns nothing.</summary>
    public SpadeGallery Gallery(bool losesRemainder)
    {
        using var scope = torch.NewDisposeScope();
        var (values, width) = (Counts.cpu().data<float>().ToArray(), Layers.Count);
        return new SpadeGallery(Descriptors, Layers, [.. values.Chunk(width).Select(row => row.Select(count => (long)count).ToArray())],
            losesRemainder);
    }
}
