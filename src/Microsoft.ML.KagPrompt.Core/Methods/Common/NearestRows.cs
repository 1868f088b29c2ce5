using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Onnx.OnnxGraph;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>In ONNX operators what <see cref="NearestNeighbours"/> does.</summary>
/// <param name="bank">[M, D].</param>
internal sealed class NearestRows(torch.Tensor bank)
{
    // Below what any row is near.
    private const double Never = -1e30;

    /// <summary>The nearest rows of each query, nearest first, and their squared distances: […, n, D] → […, n, k] each.</summary>
    /// <param name="queries">The queries.</param>
    /// <param name="rows">n.</param>
    /// <param name="count">k; of a smaller bank, all rows.</param>
    /// <param name="known">Which rows count for each image, [N, 1, M]; null: all.</param>
    public (OnnxValue Squared, OnnxValue Rows) Find(OnnxValue queries, long rows, int count, OnnxValue? known = null)
    {
        using var scope = torch.NewDisposeScope();
        var (graph, all, most) = (queries.Graph, bank.shape[0], Math.Min(count, bank.shape[0]));
        var columns = graph.Weight(bank).Permute(1, 0);                                             // [D, M]
        var stored = graph.HasHalfWeights ? bank.to(torch.ScalarType.Float16).to(bank.dtype) : bank;
        var halves = graph.Constant(stored.Squared().sum(1).Times(0.5));                            // [M]
        var step = Math.Max(1, graph.AtOnce / rows);
        var (best, places) = (new List<OnnxValue>(), new List<OnnxValue>());
        for (var first = 0L; first < all; first += step)
        {
            var size = Math.Min(step, all - first);
            OnnxValue Part(OnnxValue whole, long axis) => size == all ? whole : whole.Narrow(axis, first, size);
            var nearness = queries.MatMul(Part(columns, 1)) - Part(halves, 0);                      // […, n, rows]
            nearness = known is null ? nearness : Part(known, 2).Where(nearness, graph.Constant(Never));
            var (values, indexes) = nearness.TopK(Math.Min(most, size), largest: true);
            best.Add(values);
            places.Add(first == 0 ? indexes : indexes + graph.Whole(first));
        }

        var found = places[0];
        if (best.Count > 1)
        {
            var (_, kept) = best.Concat(-1).TopK(most, largest: true);
            found = graph.Node("GatherElements", [places.Concat(-1), kept], Attr("axis", -1));
        }

        return (Measure(queries, found), found);
    }

    /// <summary>Squared distances to named rows: […, D] and […, k] → […, k].</summary>
    public OnnxValue Measure(OnnxValue queries, OnnxValue rows)
        => (queries.Unsqueeze(-2) - Rows(rows)).Squared().Sum(-1);

    /// <summary>Rows by number: […] → […, D].</summary>
    public OnnxValue Rows(OnnxValue numbers) => numbers.Graph.Weight(bank).Gather(0, numbers);
}
