using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// A matrix as <see cref="ProductTiles"/> read it: panels of as many columns as a tile is wide, in each row by row. What lies beyond the
/// last column is zero. Owns its memory; reading is thread-safe.
/// </summary>
internal sealed unsafe class Panels : IDisposable
{
    private readonly torch.Tensor memory;
    private readonly float* first;

    /// <summary>A matrix of zeros.</summary>
    /// <param name="depth">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="shape">Of the tiles.</param>
    public Panels(int depth, int width, TileShape shape)
    {
        (Depth, Width, Shape) = (depth, width, shape);
        memory = torch.empty((long)Count * depth * shape.Across).DetachFromDisposeScope();
        first = TensorMemory.First(memory);
        // Not by libtorch: its threads would go on spinning for some milliseconds, on the cores that come to work now.
        for (var panel = 0; panel < Count; panel++)
        {
            new Span<float>(Panel(panel), depth * shape.Across).Clear();
        }
    }

    public int Depth { get; }

    public int Width { get; }

    public TileShape Shape { get; }

    /// <summary>Panels.</summary>
    public int Count => (Width + Shape.Across - 1) / Shape.Across;

    /// <summary>Numbers from a panel to the next.</summary>
    public nint Step => (nint)Depth * Shape.Across;

    /// <summary>[width, depth] turned: the rows of a linear layer's weights are its columns.</summary>
    public static Panels OfTurned(torch.Tensor matrix, TileShape shape)
    {
        using var rows = matrix.detach().contiguous();
        var panels = new Panels((int)matrix.shape[1], (int)matrix.shape[0], shape);
        var first = TensorMemory.First(rows);
        ThreadTeam.Share(panels.Count, next =>
        {
            for (int panel; (panel = next()) >= 0;)
            {
                var column = panel * shape.Across;
                panels.SetColumns(
                    column, Math.Min(shape.Across, panels.Width - column), first + ((nint)column * panels.Depth), panels.Depth);
            }
        });
        return panels;
    }

    /// <summary>[depth, across].</summary>
    public float* Panel(int panel) => first + (panel * Step);

    /// <summary>Takes rows of another matrix as columns.</summary>
    /// <param name="column">The first.</param>
    /// <param name="count">How many.</param>
    /// <param name="rows">The first one's numbers.</param>
    /// <param name="pitch">From a row to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void SetColumns(int column, int count, float* rows, nint pitch)
    {
        for (var end = column + count; column < end;)
        {
            var lane = column % Shape.Across;
            var lanes = Math.Min(Shape.Across - lane, end - column);
            var to = Panel(column / Shape.Across) + lane;
            for (var i = 0; i < Depth; i++, to += Shape.Across)
            {
                for (var j = 0; j < lanes; j++)
                {
                    to[j] = rows[(j * pitch) + i];
                }
            }

            column += lanes;
            rows += lanes * pitch;
        }
    }

    /// <summary>Takes rows as they are.</summary>
    /// <param name="row">The first.</param>
    /// <param name="count">How many.</param>
    /// <param name="rows">The first one's numbers, in whole panels.</param>
    /// <param name="pitch">From a row to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void SetRows(int row, int count, float* rows, nint pitch)
    {
        for (var panel = 0; panel < Count; panel++)
        {
            var to = Panel(panel) + ((nint)row * Shape.Across);
            for (var i = 0; i < count; i++, to += Shape.Across)
            {
                // Faster than a copy of so few by a call.
                for (var lane = 0; lane < Shape.Across; lane += Vector256<float>.Count)
                {
                    Vector256.Load(rows + (i * pitch) + (panel * Shape.Across) + lane).Store(to + lane);
                }
            }
        }
    }

    /// <summary>Rows times the matrix, and what is added to each.</summary>
    /// <param name="rows">The first. Whole tiles are read, also beyond the last row.</param>
    /// <param name="window">Where the others lie; together as long as the matrix is deep.</param>
    /// <param name="count">Rows.</param>
    /// <param name="to">Where the first row's products begin; whole panels are written.</param>
    /// <param name="step">From a row's products to the next one's.</param>
    /// <param name="panelStep">From a panel's products to the next one's.</param>
    /// <param name="bias">Added, whole panels; null: nothing.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Multiply(float* rows, in RowWindow window, int count, float* to, nint step, nint panelStep, float* bias = null)
    {
        var (most, across) = (Shape.Rows, Shape.Across);
        var sums = stackalloc float[ProductTiles.Largest];
        for (var panel = 0; panel < Count; panel++)
        {
            var own = bias is null ? null : bias + (panel * across);
            for (var row = 0; row < count; row += most)
            {
                ProductTiles.Multiply(Shape, Panel(panel), rows + (row * window.Step), window, sums);
                for (var i = 0; i < Math.Min(most, count - row); i++)
                {
                    Keep(sums + (i * across), own, to + ((row + i) * step) + (panel * panelStep), across);
                }
            }
        }
    }

    /// <summary>Rows of a matrix times this one, side by side.</summary>
    /// <param name="rows">The first. Whole tiles are read, also beyond the last row.</param>
    /// <param name="pitch">From a row to the next.</param>
    /// <param name="count">Rows.</param>
    /// <param name="to">Where the first row's products begin; whole panels are written.</param>
    /// <param name="step">From a row's products to the next one's.</param>
    /// <param name="bias">Added, whole panels; null: nothing.</param>
    public void Multiply(float* rows, nint pitch, int count, float* to, nint step, float* bias = null)
        => Multiply(rows, RowWindow.OfMatrix(pitch, Depth), count, to, step, Shape.Across, bias);

    public void Dispose() => memory.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(float* sums, float* bias, float* to, int across)
    {
        for (var lane = 0; lane < across; lane += Vector256<float>.Count)
        {
            var sum = Vector256.Load(sums + lane);
            (bias is null ? sum : sum + Vector256.Load(bias + lane)).Store(to + lane);
        }
    }
}
