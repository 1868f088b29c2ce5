using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Queries and rows that are compared by whole numbers first, and the largest products that were found so. Owns its memory, but not what it
/// compares; threads share it.
/// </summary>
internal sealed unsafe class WholeComparison : IDisposable
{
    private readonly torch.Tensor packed, found;
    private readonly int* firstPanel, firstFound;

    /// <param name="queries">[n, D].</param>
    /// <param name="asked">The same as whole numbers.</param>
    /// <param name="rows">[M, D].</param>
    /// <param name="known">The same as whole numbers.</param>
    /// <param name="shape">Of the tiles.</param>
    public WholeComparison(torch.Tensor queries, WholeRows asked, torch.Tensor rows, WholeRows known, TileShape shape)
    {
        (Asked, Known, Shape) = (asked, known, shape);
        (Panels, Tiles) = ((asked.Count + shape.Across - 1) / shape.Across, (known.Count + shape.Rows - 1) / shape.Rows);
        Queries = TensorMemory.First(queries);
        Rows = TensorMemory.First(rows);
        packed = torch.empty([Panels, PairsOfRow, shape.Across], torch.int32).DetachFromDisposeScope();
        found = torch.empty([Panels, Tiles, shape.Across], torch.int32).DetachFromDisposeScope();
        firstPanel = (int*)TensorMemory.First(packed);
        firstFound = (int*)TensorMemory.First(found);
        Pack();
    }

    public WholeRows Asked { get; }

    public WholeRows Known { get; }

    public TileShape Shape { get; }

    /// <summary>The queries in 32 bit, one after the other.</summary>
    public float* Queries { get; }

    /// <summary>The rows in 32 bit, one after the other.</summary>
    public float* Rows { get; }

    /// <summary>Of queries; the last query fills the last.</summary>
    public int Panels { get; }

    /// <summary>Of rows.</summary>
    public int Tiles { get; }

    /// <summary>Whole numbers are taken by twos.</summary>
    public int PairsOfRow => Known.Padded / 2;

    /// <summary>The first row of a tile and the one behind its last.</summary>
    public (int First, int End) RowsOf(int tile) => (tile * Shape.Rows, Math.Min((tile + 1) * Shape.Rows, Known.Count));

    /// <summary>Queries as columns: [pairs, across].</summary>
    public int* Panel(int panel) => firstPanel + ((nint)panel * PairsOfRow * Shape.Across);

    /// <summary>Of a panel's queries, the largest whole products with the rows of a tile: [across].</summary>
    public int* Found(int panel, int tile) => firstFound + ((((nint)panel * Tiles) + tile) * Shape.Across);

    public void Dispose()
    {
        packed.Dispose();
        found.Dispose();
    }

    private void Pack()
    {
        for (var query = 0; query < Panels * Shape.Across; query += Vector256<int>.Count)
        {
            var to = Panel(query / Shape.Across) + (query % Shape.Across);
            for (var i = 0; i < PairsOfRow; i += Vector256<int>.Count)
            {
                Turn(query, i, to + ((nint)i * Shape.Across));
            }
        }
    }

    /// <summary>Eight pairs of eight queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Turn(int query, int pair, int* to)
    {
        var (a, b, c, d) = (Pairs(query, pair), Pairs(query + 1, pair), Pairs(query + 2, pair), Pairs(query + 3, pair));
        var (e, f, g, h) = (Pairs(query + 4, pair), Pairs(query + 5, pair), Pairs(query + 6, pair), Pairs(query + 7, pair));
        var step = Shape.Across;
        Turn(Avx2.UnpackLow(a, b), Avx2.UnpackLow(c, d), Avx2.UnpackLow(e, f), Avx2.UnpackLow(g, h), to, step);
        Turn(Avx2.UnpackHigh(a, b), Avx2.UnpackHigh(c, d), Avx2.UnpackHigh(e, f), Avx2.UnpackHigh(g, h), to + (2 * step), step);
    }

    // Of two queries each, the pairs 0, 1, 4 and 5 from where it writes on.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d, int* to, nint step)
    {
        var (low, high) = (Avx2.UnpackLow(a.AsInt64(), b.AsInt64()), Avx2.UnpackLow(c.AsInt64(), d.AsInt64()));
        Avx2.Permute2x128(low, high, 0x20).AsInt32().Store(to);
        Avx2.Permute2x128(low, high, 0x31).AsInt32().Store(to + (4 * step));
        (low, high) = (Avx2.UnpackHigh(a.AsInt64(), b.AsInt64()), Avx2.UnpackHigh(c.AsInt64(), d.AsInt64()));
        Avx2.Permute2x128(low, high, 0x20).AsInt32().Store(to + step);
        Avx2.Permute2x128(low, high, 0x31).AsInt32().Store(to + (5 * step));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<int> Pairs(int query, int pair) => Vector256.Load((int*)Asked.Row(Math.Min(query, Asked.Count - 1)) + pair);
}
