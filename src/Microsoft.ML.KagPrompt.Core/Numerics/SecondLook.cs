using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Looks again at the tiles in which a query's nearest row may lie, panel by panel of queries: wherever the largest whole product is no
/// further below the query's largest than both may be wrong. One thread's.
/// </summary>
/// <param name="both">What is compared.</param>
/// <param name="ofQueries">Raised to the queries' largest products: whole panels.</param>
internal sealed unsafe class SecondLook(WholeComparison both, float* ofQueries) : IDisposable
{
    // With more it is faster to multiply a tile in 32 bit: so many queries, and pairs of a query and a row.
    private readonly int mostQueries = both.Shape.Across * 3 / 8, mostPairs = both.Shape.Rows * 2;
    private readonly PairProducts pairs = new(both.Queries, both.Rows, both.Known.Width);
    private readonly TileProducts tiles = new(both);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Take(int panel)
    {
        var (across, first) = (both.Shape.Across, panel * both.Shape.Across);
        var below = stackalloc int[across];
        SetBounds(panel, below);
        var near = stackalloc int[2 * mostPairs];
        for (var tile = 0; tile < both.Tiles; tile++)
        {
            var above = Above(both.Found(panel, tile), below);
            if (above == 0)
            {
                continue;
            }

            var count = BitOperations.PopCount(above) > mostQueries ? mostPairs + 1 : 0;
            for (; above != 0 && count <= mostPairs; above &= above - 1)
            {
                var lane = BitOperations.TrailingZeroCount(above);
                count = Collect(first + lane, tile, below[lane], near, count);
            }

            if (count > mostPairs)
            {
                tiles.Raise(panel, tile, ofQueries + first);
                continue;
            }

            for (var i = 0; i < count; i++)
            {
                pairs.Add(near[2 * i], near[(2 * i) + 1], ofQueries + near[2 * i]);
            }
        }

        pairs.Finish();
    }

    public void Dispose() => tiles.Dispose();

    /// <summary>Adds a tile's rows to the pairs. More than there is room for: too many.</summary>
    private int Collect(int query, int tile, int below, int* near, int count)
    {
        var (row, end) = both.RowsOf(tile);
        for (; row < end; row++)
        {
            if (WholeTiles.Product(both.Asked.Row(query), both.Known.Row(row), both.Known.Padded) <= below)
            {
                continue;
            }

            if (count == mostPairs)
            {
                return mostPairs + 1;
            }

            (near[2 * count], near[(2 * count) + 1]) = (query, row);
            count++;
        }

        return count;
    }

    /// <summary>Of each query, the largest whole product with which a row cannot be its nearest.</summary>
    private void SetBounds(int panel, int* below)
    {
        var (across, first) = (both.Shape.Across, panel * both.Shape.Across);
        new Span<int>(below, across).Fill(int.MinValue);
        for (var tile = 0; tile < both.Tiles; tile++)
        {
            var own = both.Found(panel, tile);
            for (var lane = 0; lane < across; lane += Vector256<int>.Count)
            {
                Vector256.Max(Vector256.Load(below + lane), Vector256.Load(own + lane)).Store(below + lane);
            }
        }

        for (var lane = 0; lane < across; lane++)
        {
            below[lane] = first + lane >= both.Asked.Count
                ? int.MaxValue
                : (int)Math.Max((long)below[lane] - both.Asked.Window(first + lane, both.Known) - 1, int.MinValue);
        }
    }

    /// <summary>The queries, one bit each, whose numbers lie above others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Above(int* numbers, int* others)
    {
        var above = 0u;
        for (var lane = 0; lane < both.Shape.Across; lane += Vector256<int>.Count)
        {
            var are = Vector256.GreaterThan(Vector256.Load(numbers + lane), Vector256.Load(others + lane));
            above |= are.ExtractMostSignificantBits() << lane;
        }

        return above;
    }
}
