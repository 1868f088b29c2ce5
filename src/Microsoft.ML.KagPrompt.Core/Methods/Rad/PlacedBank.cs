using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Rad;

/// <summary>Normal patches of a class and where each lay. Owns both; reading is thread-safe.</summary>
internal sealed class PlacedBank : ClassReference
{
    // Similarities held at a time.
    private const long Block = 1 << 22;

    // The farthest there is: nothing normal was ever seen there.
    private const double Farthest = -1;

    private readonly Tensor features;
    private readonly Tensor places;

    /// <param name="features">[M, D], rows of unit length.</param>
    /// <param name="places">[M, 2]: row and column.</param>
    public PlacedBank(Tensor features, Tensor places)
        => (this.features, this.places) = (features.DetachFromDisposeScope(), places.DetachFromDisposeScope());

    public override IReadOnlyDictionary<string, Tensor> Tensors
        => new Dictionary<string, Tensor> { ["bank.0"] = features, ["places"] = places };

    /// <summary>
    /// Distances of cells to the bank's patches near them, [B, n], and what each image lacks of the bank wherever it lies, [B]. Within the
    /// caller's dispose scope.
    /// </summary>
    /// <param name="cells">[B, n, D], rows of unit length.</param>
    /// <param name="at">[n, 2]: row and column.</param>
    /// <param name="radius">In rows and columns.</param>
    public (Tensor Distances, Tensor Unlikeness) Compare(Tensor cells, Tensor at, int radius)
    {
        var rows = Math.Max(1, Block / cells.shape[1]);
        var (best, lacked) = (new Tensor[cells.shape[0]], new Tensor[cells.shape[0]]);
        for (var image = 0; image < best.Length; image++)
        {
            for (var first = 0L; first < features.shape[0]; first += rows)
            {
                using var scope = NewDisposeScope();
                var count = Math.Min(rows, features.shape[0] - first);
                var similarities = cells[image].matmul(features.narrow(0, first, count).t());  // [n, rows]
                var away = at.unsqueeze(1).Minus(places.narrow(0, first, count).unsqueeze(0)).abs().amax([2]);  // [n, rows]
                var near = similarities.FilledWhere(away.IsAbove(radius + 0.5), Farthest).amax([1]);
                best[image] = (first == 0 ? near : maximum(best[image], near)).MoveToOuterDisposeScope();
                var missing = similarities.amax([0]).Complement().sum();
                lacked[image] = (first == 0 ? missing : lacked[image].Plus(missing)).MoveToOuterDisposeScope();
            }
        }

        return (stack(best).Complement(), stack(lacked).Times(1.0 / features.shape[0]));
    }

    /// <summary><see cref="Compare"/> in ONNX operators: [N, n, D] → [N, n] and [N].</summary>
    public (OnnxValue Distances, OnnxValue Unlikeness) Emit(OnnxValue cells, Tensor at, int radius)
    {
        using var scope = NewDisposeScope();
        var graph = cells.Graph;
        var (bank, rows) = (graph.Weight(features.t()), Math.Max(1, graph.AtOnce / at.shape[0]));
        OnnxValue? best = null;
        OnnxValue? lacked = null;
        for (var first = 0L; first < features.shape[0]; first += rows)
        {
            var count = Math.Min(rows, features.shape[0] - first);
            var similarities = cells.MatMul(count == features.shape[0] ? bank : bank.Narrow(1, first, count));    // [N, n, rows]
            var (near, missing) = (Away(0) | Away(1)).Where(graph.Constant(Farthest), similarities).Largest(2)
                .Together(at.shape[0], similarities.Largest(1).Complement().Sum(1, keep: true));
            best = best?.Maximum(near) ?? near;
            lacked = lacked is null ? missing : lacked + missing;

            OnnxValue Away(long axis) => (graph.Constant(at.narrow(1, axis, 1))
                - graph.Constant(places.narrow(0, first, count).narrow(1, axis, 1).t())).Abs() > graph.Constant(radius + 0.5);
        }

        return (best!.Complement(), lacked!.Squeeze(1) * (1.0 / features.shape[0]));
    }
}
