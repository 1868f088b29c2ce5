using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>Normal patches of the support images, per layer, at unit length. Owns its tensors; reading is thread-safe.</summary>
internal sealed class MemoryBank : IDisposable
{
    // Similarities are held for this many bank patches at a time, so that a large bank does not cost its square.
    private const int BlockRows = 4096;

    private MemoryBank(IReadOnlyList<Tensor> layers) => Layers = layers;

    /// <summary>[M, D_i] of each layer, rows of unit length.</summary>
    public IReadOnlyList<Tensor> Layers { get; }

    /// <summary>Gathers the patches of the supports: for each, its layers [R, L, D_i], R views of the image.</summary>
    public static MemoryBank Build(IReadOnlyList<IReadOnlyList<Tensor>> supports)
    {
        if (supports.Count == 0)
        {
            throw new ArgumentException("supports: expected at least one image, got 0.", nameof(supports));
        }

        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return new([.. Enumerable.Range(0, supports[0].Count).Select(layer =>
            cat([.. supports.Select(tokens => tokens[layer].flatten(0, 1))], 0).UnitLength(1).DetachFromDisposeScope())]);
    }

    /// <summary>Takes over rows that have unit length already.</summary>
    public static MemoryBank FromNormalized(IReadOnlyList<Tensor> layers)
    {
        foreach (var layer in layers)
        {
            layer.DetachFromDisposeScope();
        }

        return new(layers);
    }

    /// <summary>(13) before upsampling and averaging: 1 − largest cosine similarity to the bank, layer by layer. [B, L_i, D_i] → [B, L_i]. The caller owns them.</summary>
    public IReadOnlyList<Tensor> Distances(IReadOnlyList<Tensor> patchTokens)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        if (patchTokens.Count != Layers.Count)
        {
            throw new ArgumentException($"patchTokens: expected {Layers.Count} layers, got {patchTokens.Count}.", nameof(patchTokens));
        }

        var distances = new Tensor[Layers.Count];
        for (var i = 0; i < Layers.Count; i++)
        {
            Guard.Shape(patchTokens[i], $"patchTokens[{i}]", -1, -1, Layers[i].shape[1]);
            var unit = patchTokens[i].UnitLength(-1).flatten(0, 1);                            // [B·L, D]
            distances[i] = Nearest(unit, Layers[i]).Complement().view(patchTokens[i].shape[0], patchTokens[i].shape[1]).MoveToOuterDisposeScope();
        }

        return distances;
    }

    private static Tensor Nearest(Tensor unit, Tensor bank)
    {
        Tensor? best = null;
        for (var first = 0L; first < bank.shape[0]; first += BlockRows)
        {
            using var scope = NewDisposeScope();
            var block = bank.narrow(0, first, Math.Min(BlockRows, bank.shape[0] - first));
            var nearest = unit.matmul(block.t()).amax([1]);
            var better = best is null ? nearest : maximum(best, nearest);
            best = better.MoveToOuterDisposeScope();
        }

        return best!;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in Layers)
        {
            layer.Dispose();
        }
    }
}
