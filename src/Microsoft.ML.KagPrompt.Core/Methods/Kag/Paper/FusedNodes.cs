using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Paper;

/// <summary>One image's nodes and what <see cref="FusedGraph"/> makes of them in a round. Rows are patches, node after node.</summary>
internal sealed class FusedNodes : IDisposable
{
    public FusedNodes(int patches, FusedWeights weights)
    {
        var (rows, pitch, shape) = ((long)FusedGraph.Nodes * patches, weights.Pitch, weights.Shape);
        (Initial, Current, Along, Against) = (new(rows, pitch), new(rows, pitch), new(rows, pitch), new(rows, pitch));
        QueriesAndKeys = new(rows, weights.Filled(2 * weights.Query));
        Messages = new((long)FusedGraph.Messages * patches, pitch);
        Sums = new((long)FusedGraph.Messages * FusedGraph.Blocks(patches), pitch);
        Panels[] Each(int depth, int width) => [.. Enumerable.Range(0, FusedGraph.Nodes).Select(_ => new Panels(depth, width, shape))];
        (Keys, Values) = (Each(weights.Query, patches), Each(patches, weights.Width));
        (Turned, Own) = (Each(weights.Width, patches), Each(patches, weights.Width));
    }

    /// <summary>V = N^0.</summary>
    public RowBuffer Initial { get; }

    /// <summary>N^t.</summary>
    public RowBuffer Current { get; }

    /// <summary>N W_c.</summary>
    public RowBuffer Along { get; }

    /// <summary>N W_cᵀ.</summary>
    public RowBuffer Against { get; }

    /// <summary>Of (3), side by side.</summary>
    public RowBuffer QueriesAndKeys { get; }

    /// <summary>Of (3), a node's: kᵀ.</summary>
    public Panels[] Keys { get; }

    /// <summary>Of (3), a node's: v.</summary>
    public Panels[] Values { get; }

    /// <summary>Nᵀ.</summary>
    public Panels[] Turned { get; }

    /// <summary>N.</summary>
    public Panels[] Own { get; }

    /// <summary>h of (3) and (7), those to a node after those to another.</summary>
    public RowBuffer Messages { get; }

    /// <summary>Sums of a message's rows, block after block.</summary>
    public RowBuffer Sums { get; }

    public void Dispose()
    {
        foreach (var part in (IDisposable[])
            [Initial, Current, Along, Against, QueriesAndKeys, Messages, Sums, .. Keys, .. Values, .. Turned, .. Own])
        {
            part.Dispose();
        }
    }
}
