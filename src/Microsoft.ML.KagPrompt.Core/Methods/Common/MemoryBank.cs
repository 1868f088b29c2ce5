using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>Normal patches of the support images, per layer, at unit length. Owns its tensors; reading is thread-safe.</summary>
internal sealed partial class MemoryBank : IDisposable
{
    // Similarities held at a time: on a processor as many as its caches hold, since reading them back costs more than computing them.
    private const long ProcessorBlock = 1 << 20;
    private const long DeviceBlock = 1 << 26;

    private readonly KnownRows[] rows;

    private MemoryBank(IReadOnlyList<Tensor> layers, IReadOnlyList<Tensor>? weights = null)
        => (Layers, Weights, rows) = (layers, weights, [.. layers.Select(layer => new KnownRows(layer))]);

    /// <summary>[M, D_i] of each layer, rows of unit length.</summary>
    public IReadOnlyList<Tensor> Layers { get; }

    /// <summary>
    /// Where a patch stands for others that were left out: of each layer the patches' shares of all, [1, M]; null: each stands for itself.
    /// </summary>
    public IReadOnlyList<Tensor>? Weights { get; }

    /// <summary>Gathers the patches of the supports: for each, its layers [R, L_i, D_i], R views of the image.</summary>
    /// <param name="supports">At least one.</param>
    /// <param name="standFor">Of each layer's patches, in this order, for how many each stands; null: for itself.</param>
    public static MemoryBank Build(IReadOnlyList<IReadOnlyList<Tensor>> supports, IReadOnlyList<int[]>? standFor = null)
    {
        if (supports.Count == 0)
        {
            throw new ArgumentException("supports: expected at least one image, got 0.", nameof(supports));
        }

        using var noGradients = no_grad();
        return new([.. Enumerable.Range(0, supports[0].Count).Select(layer =>
        {
            using var scope = NewDisposeScope();
            return cat([.. supports.Select(tokens => tokens[layer].flatten(0, 1))], 0).UnitLength(1).DetachFromDisposeScope();
        })], standFor is null ? null : [.. standFor.Select((counts, layer) => tensor(
            Array.ConvertAll(counts, count => count / (float)counts.Sum()), [1, counts.Length], device: supports[0][layer].device)
                .DetachFromDisposeScope())]);
    }

    /// <summary>Takes over rows that have unit length already, and weights whose sum is 1.</summary>
    public static MemoryBank FromNormalized(IReadOnlyList<Tensor> layers, IReadOnlyList<Tensor>? weights = null)
    {
        foreach (var tensor in layers.Concat(weights ?? []))
        {
            tensor.DetachFromDisposeScope();
        }

        return new(layers, weights);
    }

    /// <summary>
    /// (13) before upsampling and averaging: 1 − largest cosine similarity to the bank, layer by layer. [B, L_i, D_i] → [B, L_i].
    /// The caller owns them.
    /// </summary>
    public IReadOnlyList<Tensor> Distances(IReadOnlyList<Tensor> patchTokens)
    {
        var (distances, unlikeness) = Compare(patchTokens);
        unlikeness.Dispose();
        return distances;
    }

    /// <summary>
    /// <see cref="Distances"/>, and from the same products what each image lacks [B]: 1 − largest cosine similarity of every bank patch to
    /// the image's patches, mean over bank and layers, each patch for as many as it stands for. 0: every patch of the supports is found
    /// again. The distances alone cannot tell an empty frame from a part: where there is nothing, nothing is odd.
    /// </summary>
    /// <param name="patchTokens">[B, L_i, D_i] of each layer.</param>
    /// <param name="cells">Of each layer, the patches that count, by number; the others' distances are 0. Null: all.</param>
    public (IReadOnlyList<Tensor> Distances, Tensor Unlikeness) Compare(IReadOnlyList<Tensor> patchTokens,
        IReadOnlyList<long[]>? cells = null)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        if (patchTokens.Count != Layers.Count)
        {
            throw new ArgumentException($"patchTokens: expected {Layers.Count} layers, got {patchTokens.Count}.", nameof(patchTokens));
        }

        for (var i = 0; i < Layers.Count; i++)
        {
            Guard.Shape(patchTokens[i], $"patchTokens[{i}]", -1, -1, Layers[i].shape[1]);
        }

        // All first: libtorch's threads, woken here, go on spinning for a while.
        var units = patchTokens.Select(tokens => tokens.UnitLength(-1)).ToArray();
        var distances = new Tensor[Layers.Count];
        Tensor? lacked = null;
        for (var i = 0; i < Layers.Count; i++)
        {
            (distances[i], var missing) = CompareLayer(units[i], i, cells?[i]);
            distances[i].MoveToOuterDisposeScope();
            lacked = lacked is null ? missing : lacked.Plus(missing);
        }

        return (distances, lacked!.Times(1.0 / Layers.Count).MoveToOuterDisposeScope());
    }

    /// <summary>One layer: [B, L], [B].</summary>
    private (Tensor Distances, Tensor Missing) CompareLayer(Tensor units, int layer, long[]? cells)
    {
        using var scope = NewDisposeScope();
        var counted = cells is null ? null : tensor(cells, device: units.device);
        var tokens = counted is null ? units : units.index_select(1, counted);
        var (nearest, missing) = Nearest(tokens.flatten(0, 1), layer, tokens.shape[0]);                 // of [B·L, D]: [B·L], [B]
        var found = nearest.Complement().view(tokens.shape[0], tokens.shape[1]);
        var distances = counted is null
            ? found
            : zeros(units.shape[0], units.shape[1], dtype: found.dtype, device: found.device).index_copy(1, counted, found);
        return (distances.MoveToOuterDisposeScope(), missing.MoveToOuterDisposeScope());
    }

    private (Tensor Best, Tensor Missing) Nearest(Tensor unit, int layer, long images)
    {
        var (bank, weights) = (Layers[layer], Weights?[layer]);
        var patches = unit.shape[0] / images;
        var atOnce = Math.Max(1, (unit.device_type == DeviceType.CPU ? ProcessorBlock : DeviceBlock) / patches);
        var (best, missing) = (new Tensor[images], new Tensor[images]);
        for (var image = 0L; image < images; image++)
        {
            using var scope = NewDisposeScope();
            var own = unit.narrow(0, image * patches, patches);
            if (rows[layer].Take(own))
            {
                var (largest, ofBank) = rows[layer].Largest(own);
                (best[image], missing[image]) = (largest.MoveToOuterDisposeScope(), Lacked(ofBank, weights).MoveToOuterDisposeScope());
                continue;
            }

            Tensor? nearest = null;
            Tensor? lacked = null;
            for (var first = 0L; first < bank.shape[0]; first += atOnce)
            {
                using var inner = NewDisposeScope();
                var count = Math.Min(atOnce, bank.shape[0] - first);
                var similarities = own.matmul(bank.narrow(0, first, count).t());                // [L, count]
                var closest = similarities.amax([1]);
                nearest = (nearest is null ? closest : maximum(nearest, closest)).MoveToOuterDisposeScope();
                var distances = Lacked(similarities.amax([0]), weights?.narrow(1, first, count));
                lacked = (lacked is null ? distances : lacked.Plus(distances)).MoveToOuterDisposeScope();
            }

            best[image] = nearest!.MoveToOuterDisposeScope();
            missing[image] = lacked!.MoveToOuterDisposeScope();
        }

        return (cat(best, 0), weights is null ? stack(missing).Times(1.0 / bank.shape[0]) : stack(missing));
    }

    /// <summary>
    /// Distances are added up, not similarities: near 1 their sum would round the small differences away. By a rounding a similarity may
    /// lie above 1.
    /// </summary>
    private static Tensor Lacked(Tensor similarities, Tensor? weights)
    {
        var distances = similarities.Complement().AtLeast(0);
        return (weights is null ? distances : distances * weights).sum();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(rows, own => own.Dispose());
        foreach (var tensor in Layers.Concat(Weights ?? []))
        {
            tensor.Dispose();
        }
    }
}
