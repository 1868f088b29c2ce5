using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Spade;

/// <summary>
/// Descriptors of support images and, of each layer, their features one image after the other. The caller owns the tensors.
/// </summary>
/// <param name="descriptors">[N, D].</param>
/// <param name="layers">[Σ n_i, C] each.</param>
/// <param name="counts">Of each image and layer, how many features: [N][layers].</param>
/// <param name="losesRemainder">Whether what lies beyond the last whole hundred is left out.</param>
internal sealed partial class SpadeGallery(Tensor descriptors, IReadOnlyList<Tensor> layers, long[][] counts, bool losesRemainder)
{
    // Of the published code: added to each difference, and the size of the pieces it walks through.
    private const double Epsilon = 1e-6;
    private const int Piece = 100;

    private readonly long[][] starts = [.. Enumerable.Range(0, layers.Count).Select(layer => Starts(counts, layer))];

    /// <summary>The images most like each one asked about, nearest first, and their distances: [B, K] each. The caller owns them.</summary>
    /// <param name="queries">Descriptors, [B, D].</param>
    /// <param name="neighbours">K; of fewer images, all.</param>
    public (Tensor Distances, Tensor Images) Retrieve(Tensor queries, int neighbours)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        // [B, N]
        var distances = stack([.. Enumerable.Range(0, (int)queries.shape[0])
            .Select(i => descriptors.Minus(queries.narrow(0, i, 1)).Squared().sum(1).sqrt())]);
        var (nearest, images) = distances.topk((int)Math.Min(neighbours, distances.shape[1]), 1, largest: false);
        return (nearest.MoveToOuterDisposeScope(), images.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// Of each feature of one image, the distance to the nearest of some support images' features: [n, C] → [n]. The caller owns it.
    /// </summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="features">[n, C].</param>
    /// <param name="images">The support images, nearest first.</param>
    public Tensor Distances(int layer, Tensor features, IReadOnlyList<long> images)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var gallery = cat([.. images.Select(image => layers[layer].narrow(0, starts[layer][image], counts[image][layer]))], 0);
        var whole = gallery.shape[0] / Piece * Piece;
        var walked = losesRemainder && whole > 0 ? gallery.narrow(0, 0, whole) : gallery;
        // ‖g − x + ε‖ is the distance of g to x − ε.
        var (squared, _) = NearestNeighbours.Find(features.Plus(-Epsilon), walked, 1);
        return squared.select(1, 0).sqrt().MoveToOuterDisposeScope();
    }

    private static long[] Starts(long[][] counts, int layer)
    {
        var starts = new long[counts.Length];
        for (var image = 1; image < counts.Length; image++)
        {
            starts[image] = starts[image - 1] + counts[image - 1][layer];
        }

        return starts;
    }
}
