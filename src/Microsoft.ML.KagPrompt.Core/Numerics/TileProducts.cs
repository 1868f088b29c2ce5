using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Products in 32 bit of a panel of queries with a tile of rows, for panels that have many of them to look at again. One thread's, which
/// makes room for them only where there are any.
/// </summary>
/// <param name="both">What is compared.</param>
internal sealed unsafe class TileProducts(WholeComparison both) : IDisposable
{
    private Panels? columns;
    private torch.Tensor? few;
    private int packed = -1;

    /// <summary>Raises a panel's largest products to those with a tile's rows: [across].</summary>
    public void Raise(int panel, int tile, float* largest)
    {
        var (shape, width, (first, end)) = (both.Shape, both.Known.Width, both.RowsOf(tile));
        columns ??= new Panels(width, shape.Across, shape);
        few ??= torch.empty([shape.Rows, width]).DetachFromDisposeScope();
        if (packed != panel)
        {
            var query = panel * shape.Across;
            columns.SetColumns(0, Math.Min(shape.Across, both.Asked.Count - query), both.Queries + ((nint)query * width), width);
            packed = panel;
        }

        var products = stackalloc float[ProductTiles.Largest];
        new RowTiles(both.Rows, width, shape, TensorMemory.First(few)).Multiply(first, end - first, columns.Panel(0), products);
        for (var row = 0; row < end - first; row++)
        {
            LargestProducts.Raise(largest, products + (row * shape.Across), shape.Across);
        }
    }

    public void Dispose()
    {
        columns?.Dispose();
        few?.Dispose();
    }
}
