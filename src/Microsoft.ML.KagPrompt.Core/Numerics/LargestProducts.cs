using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Of every query and every row, the largest of their products: A Bᵀ, of which no more is kept than the largest values of its rows and of
/// its columns. libtorch's product writes all of it.
/// </summary>
/// <remarks>
/// A product's terms are added in the order of the columns whatever the sizes and the number of threads: results are the same bits. NaN is
/// larger than any number.
/// </remarks>
internal static unsafe class LargestProducts
{
    // Rows that a thread takes at a time: some hundred microseconds of work.
    private const int RowsAtOnce = 252;

    // Below this many multiplications one thread is faster than several.
    private const long WorthThreads = 1 << 21;

    /// <summary>Whether these are matrices that it takes: of 32 bit, in the memory of a processor that has the instructions.</summary>
    public static bool Takes(torch.Tensor queries, torch.Tensor rows)
        => ProductTiles.Take(queries) && ProductTiles.Take(rows);

    /// <summary>[n, D] and [M, D] → of each query its largest product [n], of each row [M]. The caller owns them.</summary>
    /// <param name="queries">The queries.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="lanes">Of the instructions, 16 or 8; null: the widest.</param>
    public static (torch.Tensor OfQueries, torch.Tensor OfRows) Find(torch.Tensor queries, torch.Tensor rows, int? lanes = null)
    {
        var shape = new TileShape(lanes ?? ProductTiles.WidestLanes);
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (count, total, width) = ((int)queries.shape[0], (int)rows.shape[0], (int)queries.shape[1]);
        using var packed = Packed(queries.unsqueeze(0), shape);
        var (panels, known) = (packed.Count, rows.contiguous());
        var (best, ofRows) = (Lowest(panels * shape.Across), torch.empty([total]));
        float* panel = packed.Panel(0), ofAll = TensorMemory.First(best);
        float* products = TensorMemory.First(ofRows), matrix = TensorMemory.First(known);
        var merging = new Lock();
        Share((total + RowsAtOnce - 1) / RowsAtOnce, (long)count * total * width, next =>
        {
            using var raised = Lowest(panels * shape.Across);
            using var few = torch.empty([shape.Rows, width]);
            var own = TensorMemory.First(raised);
            var tiles = new RowTiles(matrix, width, shape, TensorMemory.First(few));
            for (int i; (i = next()) >= 0;)
            {
                for (var row = i * RowsAtOnce; row < Math.Min((i + 1) * RowsAtOnce, total); row += shape.Rows)
                {
                    LargestOfTile(tiles, row, Math.Min(shape.Rows, total - row), panel, panels, own, products + row);
                }
            }

            lock (merging)
            {
                Raise(ofAll, own, panels * shape.Across);
            }
        });
        return (best.narrow(0, 0, count).MoveToOuterDisposeScope(), ofRows.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// The same of cells of a grid and of rows that each lie in one of its cells: of each query, the largest product with a row that lies
    /// no further away than a reach, down and across. The caller owns it.
    /// </summary>
    /// <param name="queries">[cells of the grid, D].</param>
    /// <param name="rows">[M, D], in the order of their cells.</param>
    /// <param name="cells">Of each row, the cell.</param>
    /// <param name="grid">The grid.</param>
    /// <param name="reach">In cells.</param>
    /// <param name="lanes">Of the instructions, 16 or 8; null: the widest.</param>
    /// <returns>[cells of the grid]; −∞ where no row is near.</returns>
    public static torch.Tensor Near(
        torch.Tensor queries, torch.Tensor rows, long[] cells, PatchGrid grid, int reach, int? lanes = null)
    {
        var shape = new TileShape(lanes ?? ProductTiles.WidestLanes);
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (columns, width) = (grid.Columns, (int)queries.shape[1]);
        using var packed = Packed(queries.reshape(grid.Rows, columns, width), shape);
        var (across, known) = (packed.Count / grid.Rows, rows.contiguous());
        var wide = across * shape.Across;
        var best = Lowest(grid.Rows, wide);
        var apart = Apart(columns, wide, reach);
        var ofAll = TensorMemory.First(best);
        float* matrix = TensorMemory.First(known), distant = TensorMemory.First(apart);
        int First(int row) => Array.BinarySearch(cells, (row * (long)columns) - 1, FirstAbove) is var at && at < 0 ? ~at : at;
        var work = (long)cells.Length * ((2 * reach) + 1) * wide * width;
        Share(grid.Rows, work, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (next) =>
        {
            using var few = torch.empty([shape.Rows, width]);
            var tiles = new RowTiles(matrix, width, shape, TensorMemory.First(few));
            var products = stackalloc float[shape.Rows * shape.Across];
            for (int line; (line = next()) >= 0;)
            {
                var end = First(line + reach + 1);
                for (var row = First(line - reach); row < end; row += shape.Rows)
                {
                    var count = Math.Min(shape.Rows, end - row);
                    for (var panel = 0; panel < across; panel++)
                    {
                        tiles.Multiply(row, count, packed.Panel((line * across) + panel), products);
                        for (var i = 0; i < count; i++)
                        {
                            Raise(ofAll + (line * wide) + (panel * shape.Across), products + (i * shape.Across), shape.Across,
                                distant + (cells[row + i] % columns * wide) + (panel * shape.Across));
                        }
                    }
                }
            }
        });
        return best.narrow(1, 0, columns).reshape(-1).MoveToOuterDisposeScope();
    }

    // The first of equal cells lies behind all that are smaller: nothing is found, and where it would be is.
    private static readonly Comparer<long> FirstAbove = Comparer<long>.Create((cell, sought) => cell <= sought ? -1 : 1);

    /// <summary>What is added to a row's products, by its column: 0 to those with near columns, −∞ to others. [columns, lanes].</summary>
    private static torch.Tensor Apart(int columns, int lanes, int reach)
    {
        var values = new float[columns * lanes];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Math.Abs((i / lanes) - (i % lanes)) > reach ? float.NegativeInfinity : 0;
        }

        return torch.tensor(values);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LargestOfTile(RowTiles tiles, int row, int count, float* packed, int panels, float* ofQueries, float* ofRows)
    {
        var (most, across) = (tiles.Shape.Rows, tiles.Shape.Across);
        var products = stackalloc float[most * across];
        var largest = stackalloc Vector256<float>[most];
        new Span<Vector256<float>>(largest, most).Fill(Vector256.Create(float.NegativeInfinity));
        for (var panel = 0; panel < panels; panel++)
        {
            tiles.Multiply(row, count, packed + ((nint)panel * across * tiles.Width), products);
            for (var i = 0; i < count; i++)
            {
                var own = products + (i * across);
                Raise(ofQueries + (panel * across), own, across);
                for (var lane = 0; lane < across; lane += Vector256<float>.Count)
                {
                    largest[i] = Vector256.Max(largest[i], Vector256.Load(own + lane));
                }
            }
        }

        for (var i = 0; i < count; i++)
        {
            var half = Vector128.Max(largest[i].GetLower(), largest[i].GetUpper());
            ofRows[i] = Math.Max(Math.Max(half[0], half[1]), Math.Max(half[2], half[3]));
        }
    }

    /// <summary>Raises values to others where those are larger.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Raise(float* values, float* others, int count)
    {
        for (var i = 0; i < count; i += Vector256<float>.Count)
        {
            Vector256.Max(Vector256.Load(values + i), Vector256.Load(others + i)).Store(values + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Raise(float* values, float* others, int count, float* added)
    {
        for (var i = 0; i < count; i += Vector256<float>.Count)
        {
            Vector256.Max(Vector256.Load(values + i), Vector256.Load(others + i) + Vector256.Load(added + i)).Store(values + i);
        }
    }

    /// <summary>Groups of queries as columns: [groups, n, D]. A group begins a panel; its last query fills its last.</summary>
    private static Panels Packed(torch.Tensor queries, TileShape shape)
    {
        var known = queries.contiguous();
        var (groups, count, width) = ((int)known.shape[0], (int)known.shape[1], (int)known.shape[2]);
        var wide = (count + shape.Across - 1) / shape.Across * shape.Across;
        var packed = new Panels(width, groups * wide, shape);
        for (var group = 0; group < groups; group++)
        {
            var own = TensorMemory.First(known) + ((nint)group * count * width);
            packed.SetColumns(group * wide, count, own, width);
            packed.SetColumns((group * wide) + count, wide - count, own + ((nint)(count - 1) * width), pitch: 0);
        }

        return packed;
    }

    /// <summary>Has threads share some work where it is worth them.</summary>
    public static void Share(int parts, long multiplications, Action<Func<int>> work)
    {
        if (multiplications >= WorthThreads)
        {
            ThreadTeam.Share(parts, work);
            return;
        }

        var taken = -1;
        work(() => ++taken < parts ? taken : -1);
    }

    /// <summary>−∞ everywhere.</summary>
    public static torch.Tensor Lowest(params long[] sizes)
    {
        var values = torch.empty(sizes);
        new Span<float>(TensorMemory.First(values), (int)values.numel()).Fill(float.NegativeInfinity);
        return values;
    }
}
