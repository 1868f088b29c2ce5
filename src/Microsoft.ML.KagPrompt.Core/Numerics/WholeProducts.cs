using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// <see cref="LargestProducts.Find"/> of rows of about unit length, found by 16-bit whole numbers, which takes little more than half the
/// time: what may be a query's largest product is then multiplied in 32 bit.
/// </summary>
/// <remarks>
/// A query's largest product is the same bits as there. A row's is the whole numbers' own: the same whatever the threads and instructions,
/// and wrong by no more than rounding lost of either, 3 · 10⁻⁴ at 256 columns, mostly by less than a twentieth of it. It serves for means.
/// </remarks>
internal static unsafe class WholeProducts
{
    // Tiles that a thread takes at a time: few enough that none waits long for another.
    private const int TilesAtOnce = 4;

    // Products that are kept at a time, of a query with the nearest row of a tile.
    private const int MostKept = 1 << 22;

    /// <summary>[n, D] and [M, D] → of each query its largest product [n], of each row [M]. The caller owns them.</summary>
    /// <param name="queries">The queries.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="known">The same rows as whole numbers.</param>
    /// <param name="lanes">Of the instructions, 16 or 8; null: the widest.</param>
    /// <returns>Null where one of the queries is not finite or clearly longer than 1.</returns>
    public static (torch.Tensor OfQueries, torch.Tensor OfRows)? Find(
        torch.Tensor queries, torch.Tensor rows, WholeRows known, int? lanes = null)
    {
        var shape = new TileShape(lanes ?? ProductTiles.WidestLanes);
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (all, matrix, count) = (queries.contiguous(), rows.contiguous(), queries.shape[0]);
        var (ofQueries, ofRows) = (LargestProducts.Lowest(count + shape.Across), LargestProducts.Lowest(known.Count));
        var atOnce = Math.Max(1, MostKept / ((known.Count / shape.Rows) + 1) / shape.Across) * shape.Across;
        for (var first = 0L; first < count; first += atOnce)
        {
            using var own = all.narrow(0, first, Math.Min(atOnce, count - first));
            using var asked = WholeRows.Of(own);
            if (asked is null)
            {
                return null;
            }

            using var both = new WholeComparison(own, asked, matrix, known, shape);
            Compare(both, TensorMemory.First(ofQueries) + first, TensorMemory.First(ofRows));
        }

        return (ofQueries.narrow(0, 0, count).MoveToOuterDisposeScope(), ofRows.MoveToOuterDisposeScope());
    }

    /// <summary>Raises the largest products: of whole panels of queries, and of the rows.</summary>
    private static void Compare(WholeComparison both, float* ofQueries, float* ofRows)
    {
        var work = (long)both.Asked.Count * both.Known.Count * both.Known.Width;
        LargestProducts.Share((both.Tiles + TilesAtOnce - 1) / TilesAtOnce, work, next =>
        {
            for (int i; (i = next()) >= 0;)
            {
                for (var tile = i * TilesAtOnce; tile < Math.Min((i + 1) * TilesAtOnce, both.Tiles); tile++)
                {
                    Multiply(both, tile, ofRows);
                }
            }
        });
        LargestProducts.Share(both.Panels, work, next =>
        {
            using var look = new SecondLook(both, ofQueries);
            for (int panel; (panel = next()) >= 0;)
            {
                look.Take(panel);
            }
        });
    }

    /// <summary>A tile's rows against all queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(WholeComparison both, int tile, float* ofRows)
    {
        var (shape, pairs, (row, end)) = (both.Shape, both.PairsOfRow, both.RowsOf(tile));
        var largest = stackalloc int[shape.Rows * shape.Lanes];
        new Span<int>(largest, shape.Rows * shape.Lanes).Fill(int.MinValue);
        for (var panel = 0; panel < both.Panels; panel++)
        {
            WholeTiles.Multiply(shape, both.Panel(panel), (int*)both.Known.Row(row), pairs, both.Found(panel, tile), largest);
        }

        for (; row < end; row++, largest += shape.Lanes)
        {
            var most = Vector256.Load(largest);
            most = shape.Lanes == 16 ? Vector256.Max(most, Vector256.Load(largest + Vector256<int>.Count)) : most;
            var half = Vector128.Max(most.GetLower(), most.GetUpper());
            var product = Math.Max(Math.Max(half[0], half[1]), Math.Max(half[2], half[3]));
            ofRows[row] = Math.Max(ofRows[row], (float)(product / ((double)WholeRows.One * WholeRows.One)));
        }
    }
}
