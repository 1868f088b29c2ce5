using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.PatchCore;

/// <summary>Scores of patches and images by their distances to a bank.</summary>
/// <param name="options">The method's choices.</param>
internal sealed class PatchScores(PatchCoreOptions options)
{
    /// <summary>
    /// Each patch's mean (squared) distance to its nearest patches of the bank, [B, n], and each image's score, [B]. The caller owns
    /// them.
    /// </summary>
    /// <param name="embeddings">[B, n, T].</param>
    /// <param name="bank">[M, T].</param>
    public (Tensor Patches, Tensor Images) Compute(Tensor embeddings, Tensor bank)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (images, patches) = (embeddings.shape[0], embeddings.shape[1]);
        var (squared, rows) = NearestNeighbours.Find(embeddings.flatten(0, 1), bank, options.Neighbours);                // [B·n, k]
        var distances = options.Scoring == PatchCoreScoring.Paper ? squared.sqrt() : squared;
        var scores = distances.mean([1]).view(images, patches);
        var (largest, farthest) = scores.max(1);                                                                          // [B]
        if (options.Scoring == PatchCoreScoring.Paper)
        {
            var weights = Enumerable.Range(0, (int)images).Select(image
                => Weight(embeddings[image].index_select(0, farthest.narrow(0, image, 1)), bank,
                    rows.view(images, patches, -1)[image].index_select(0, farthest.narrow(0, image, 1)).narrow(1, 0, 1)));
            largest = largest * cat([.. weights], 0);
        }

        return (scores.MoveToOuterDisposeScope(), largest.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// 1 − the share of the nearest patch among those about it, by the exponentials of their distances from the tested patch: [1].
    /// </summary>
    /// <param name="tested">[1, T].</param>
    /// <param name="bank">[M, T].</param>
    /// <param name="nearest">Its row in the bank, [1, 1].</param>
    private Tensor Weight(Tensor tested, Tensor bank, Tensor nearest)
    {
        // [1, b], itself the first
        var (_, about) = NearestNeighbours.Find(bank.index_select(0, nearest.flatten()), bank, options.Neighbourhood);
        var distances = NearestNeighbours.Measure(tested, bank, about).sqrt();
        var own = NearestNeighbours.Measure(tested, bank, nearest).sqrt();
        return distances.Minus(own).exp().sum(1).reciprocal().Complement();      // 1 − e^d* / Σ e^d, without overflow
    }

    /// <summary><see cref="Compute"/> in ONNX operators.</summary>
    /// <param name="embeddings">[N, n, T].</param>
    /// <param name="count">n.</param>
    /// <param name="bank">[M, T].</param>
    public (OnnxValue Patches, OnnxValue Images) Emit(OnnxValue embeddings, int count, Tensor bank)
    {
        var known = new NearestRows(bank);
        var (squared, rows) = known.Find(embeddings, count, options.Neighbours);                                         // [N, n, k]
        var scores = (options.Scoring == PatchCoreScoring.Paper ? squared.Sqrt() : squared).Mean(2);                     // [N, n]
        var (largest, farthest) = scores.TopK(1, largest: true);                                                         // [N, 1]
        if (options.Scoring != PatchCoreScoring.Paper)
        {
            return (scores, largest.Squeeze(1));
        }

        var tested = embeddings.RowOfEach(farthest);                                                                     // [N, T]
        var nearest = rows.RowOfEach(farthest).Narrow(1, 0, 1);                                                          // [N, 1]
        var (_, about) = known.Find(known.Rows(nearest.Squeeze(1)), 1, options.Neighbourhood);                           // [N, b]
        var (distances, own) = (known.Measure(tested, about).Sqrt(), known.Measure(tested, nearest).Sqrt());
        var weights = (distances - own).Exp().Sum(1).Reciprocal().Complement();
        return (scores, largest.Squeeze(1) * weights);
    }
}
