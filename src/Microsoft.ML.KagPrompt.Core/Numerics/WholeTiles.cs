using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// The innermost loops of products of 16-bit whole numbers, of which an instruction takes twice as many as of 32-bit numbers: some rows
/// against a panel of queries, whose numbers lie in pairs. Of the products no more is kept than the largest.
/// </summary>
/// <remarks>Sums are whole numbers too, below 2³¹ where rows and queries are about as long as 1 (<see cref="WholeRows"/>): exact.</remarks>
internal static unsafe class WholeTiles
{
    // The first of AMD's families (Zen 3) that multiplies two vectors of whole numbers at a time and adds two others meanwhile.
    private const int FirstFamily = 25;

    // "AuthenticAMD", as the processor tells it.
    private static readonly (int, int, int) Amd = (0x68747541, 0x444D4163, 0x69746E65);

    /// <summary>Whether the processor has the instructions.</summary>
    public static bool AreSupported => Avx2.IsSupported && ProductTiles.WidestLanes > 0;

    /// <summary>
    /// Whether it is known to take less time for them. Others add whole numbers where they multiply them: nothing is won.
    /// </summary>
    public static bool AreFaster { get; } = AreSupported && IsAmdSince(FirstFamily);

    /// <summary>A tile's rows against a panel.</summary>
    /// <param name="shape">Of the tile.</param>
    /// <param name="queries">The panel: [pairs of a row, across].</param>
    /// <param name="rows">The first row's pairs.</param>
    /// <param name="length">Of a row, in pairs.</param>
    /// <param name="ofQueries">Takes of each query its largest product: [across].</param>
    /// <param name="ofRows">Raised to the rows' largest products, of some queries in each lane: [rows, lanes].</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(TileShape shape, int* queries, int* rows, nint length, int* ofQueries, int* ofRows)
    {
        if (shape.Lanes == 16)
        {
            Tile512(queries, rows, length, ofQueries, ofRows);
        }
        else
        {
            Tile256(queries, rows, length, ofQueries, ofRows);
        }
    }

    /// <summary>One row times another.</summary>
    /// <param name="first">The one.</param>
    /// <param name="second">The other.</param>
    /// <param name="width">Numbers, in whole <see cref="Vector256{T}"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Product(short* first, short* second, int width)
    {
        var sum = Vector256<int>.Zero;
        for (var i = 0; i < width; i += Vector256<short>.Count)
        {
            sum += Avx2.MultiplyAddAdjacent(Vector256.Load(first + i), Vector256.Load(second + i));
        }

        return Vector256.Sum(sum);
    }

    /// <summary>14 rows against 32 queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile512(int* queries, int* rows, nint length, int* ofQueries, int* ofRows)
    {
        Vector512<int> a0 = default, b0 = default, c0 = default, d0 = default, e0 = default, f0 = default;
        Vector512<int> g0 = default, h0 = default, i0 = default, j0 = default, k0 = default, l0 = default;
        Vector512<int> m0 = default, n0 = default;
        Vector512<int> a1 = default, b1 = default, c1 = default, d1 = default, e1 = default, f1 = default;
        Vector512<int> g1 = default, h1 = default, i1 = default, j1 = default, k1 = default, l1 = default;
        Vector512<int> m1 = default, n1 = default;
        var (step, two) = (length, 2 * length);
        int* at0 = rows, at3 = rows + (3 * step), at6 = rows + (6 * step), at9 = rows + (9 * step), at12 = rows + (12 * step);
        for (var end = rows + length; at0 < end; queries += 32)
        {
            var (q0, q1) = (Vector512.Load(queries).AsInt16(), Vector512.Load(queries + 16).AsInt16());
            var a = Vector512.Create(at0[0]).AsInt16();
            var (a2, a3) = (Pairs(q0, a), Pairs(q1, a));
            (a0, a1) = (a0 + a2, a1 + a3);
            var b = Vector512.Create(at0[step]).AsInt16();
            var (b2, b3) = (Pairs(q0, b), Pairs(q1, b));
            (b0, b1) = (b0 + b2, b1 + b3);
            var c = Vector512.Create(at0[two]).AsInt16();
            var (c2, c3) = (Pairs(q0, c), Pairs(q1, c));
            (c0, c1) = (c0 + c2, c1 + c3);
            var d = Vector512.Create(at3[0]).AsInt16();
            var (d2, d3) = (Pairs(q0, d), Pairs(q1, d));
            (d0, d1) = (d0 + d2, d1 + d3);
            var e = Vector512.Create(at3[step]).AsInt16();
            var (e2, e3) = (Pairs(q0, e), Pairs(q1, e));
            (e0, e1) = (e0 + e2, e1 + e3);
            var f = Vector512.Create(at3[two]).AsInt16();
            var (f2, f3) = (Pairs(q0, f), Pairs(q1, f));
            (f0, f1) = (f0 + f2, f1 + f3);
            var g = Vector512.Create(at6[0]).AsInt16();
            var (g2, g3) = (Pairs(q0, g), Pairs(q1, g));
            (g0, g1) = (g0 + g2, g1 + g3);
            var h = Vector512.Create(at6[step]).AsInt16();
            var (h2, h3) = (Pairs(q0, h), Pairs(q1, h));
            (h0, h1) = (h0 + h2, h1 + h3);
            var i = Vector512.Create(at6[two]).AsInt16();
            var (i2, i3) = (Pairs(q0, i), Pairs(q1, i));
            (i0, i1) = (i0 + i2, i1 + i3);
            var j = Vector512.Create(at9[0]).AsInt16();
            var (j2, j3) = (Pairs(q0, j), Pairs(q1, j));
            (j0, j1) = (j0 + j2, j1 + j3);
            var k = Vector512.Create(at9[step]).AsInt16();
            var (k2, k3) = (Pairs(q0, k), Pairs(q1, k));
            (k0, k1) = (k0 + k2, k1 + k3);
            var l = Vector512.Create(at9[two]).AsInt16();
            var (l2, l3) = (Pairs(q0, l), Pairs(q1, l));
            (l0, l1) = (l0 + l2, l1 + l3);
            var m = Vector512.Create(at12[0]).AsInt16();
            var (m2, m3) = (Pairs(q0, m), Pairs(q1, m));
            (m0, m1) = (m0 + m2, m1 + m3);
            var n = Vector512.Create(at12[step]).AsInt16();
            var (n2, n3) = (Pairs(q0, n), Pairs(q1, n));
            (n0, n1) = (n0 + n2, n1 + n3);
            at0++; at3++; at6++; at9++; at12++;
        }

        Raise(ofRows, Vector512.Max(a0, a1));
        Raise(ofRows + 16, Vector512.Max(b0, b1));
        Raise(ofRows + 32, Vector512.Max(c0, c1));
        Raise(ofRows + 48, Vector512.Max(d0, d1));
        Raise(ofRows + 64, Vector512.Max(e0, e1));
        Raise(ofRows + 80, Vector512.Max(f0, f1));
        Raise(ofRows + 96, Vector512.Max(g0, g1));
        Raise(ofRows + 112, Vector512.Max(h0, h1));
        Raise(ofRows + 128, Vector512.Max(i0, i1));
        Raise(ofRows + 144, Vector512.Max(j0, j1));
        Raise(ofRows + 160, Vector512.Max(k0, k1));
        Raise(ofRows + 176, Vector512.Max(l0, l1));
        Raise(ofRows + 192, Vector512.Max(m0, m1));
        Raise(ofRows + 208, Vector512.Max(n0, n1));
        var first0 = Vector512.Max(Vector512.Max(a0, b0), Vector512.Max(c0, d0));
        var first1 = Vector512.Max(Vector512.Max(e0, f0), Vector512.Max(g0, h0));
        var first2 = Vector512.Max(Vector512.Max(i0, j0), Vector512.Max(k0, l0));
        var first3 = Vector512.Max(m0, n0);
        var second0 = Vector512.Max(Vector512.Max(a1, b1), Vector512.Max(c1, d1));
        var second1 = Vector512.Max(Vector512.Max(e1, f1), Vector512.Max(g1, h1));
        var second2 = Vector512.Max(Vector512.Max(i1, j1), Vector512.Max(k1, l1));
        var second3 = Vector512.Max(m1, n1);
        Vector512.Max(Vector512.Max(first0, first1), Vector512.Max(first2, first3)).Store(ofQueries);
        Vector512.Max(Vector512.Max(second0, second1), Vector512.Max(second2, second3)).Store(ofQueries + 16);
    }

    /// <summary>6 rows against 16 queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile256(int* queries, int* rows, nint length, int* ofQueries, int* ofRows)
    {
        Vector256<int> a0 = default, b0 = default, c0 = default, d0 = default, e0 = default, f0 = default;
        Vector256<int> a1 = default, b1 = default, c1 = default, d1 = default, e1 = default, f1 = default;
        var (step, two) = (length, 2 * length);
        int* at0 = rows, at3 = rows + (3 * step);
        for (var end = rows + length; at0 < end; queries += 16)
        {
            var (q0, q1) = (Vector256.Load(queries).AsInt16(), Vector256.Load(queries + 8).AsInt16());
            var a = Vector256.Create(at0[0]).AsInt16();
            var (a2, a3) = (Pairs(q0, a), Pairs(q1, a));
            (a0, a1) = (a0 + a2, a1 + a3);
            var b = Vector256.Create(at0[step]).AsInt16();
            var (b2, b3) = (Pairs(q0, b), Pairs(q1, b));
            (b0, b1) = (b0 + b2, b1 + b3);
            var c = Vector256.Create(at0[two]).AsInt16();
            var (c2, c3) = (Pairs(q0, c), Pairs(q1, c));
            (c0, c1) = (c0 + c2, c1 + c3);
            var d = Vector256.Create(at3[0]).AsInt16();
            var (d2, d3) = (Pairs(q0, d), Pairs(q1, d));
            (d0, d1) = (d0 + d2, d1 + d3);
            var e = Vector256.Create(at3[step]).AsInt16();
            var (e2, e3) = (Pairs(q0, e), Pairs(q1, e));
            (e0, e1) = (e0 + e2, e1 + e3);
            var f = Vector256.Create(at3[two]).AsInt16();
            var (f2, f3) = (Pairs(q0, f), Pairs(q1, f));
            (f0, f1) = (f0 + f2, f1 + f3);
            at0++; at3++;
        }

        Raise(ofRows, Vector256.Max(a0, a1));
        Raise(ofRows + 8, Vector256.Max(b0, b1));
        Raise(ofRows + 16, Vector256.Max(c0, c1));
        Raise(ofRows + 24, Vector256.Max(d0, d1));
        Raise(ofRows + 32, Vector256.Max(e0, e1));
        Raise(ofRows + 40, Vector256.Max(f0, f1));
        var first0 = Vector256.Max(Vector256.Max(a0, b0), Vector256.Max(c0, d0));
        var first1 = Vector256.Max(e0, f0);
        var second0 = Vector256.Max(Vector256.Max(a1, b1), Vector256.Max(c1, d1));
        var second1 = Vector256.Max(e1, f1);
        Vector256.Max(first0, first1).Store(ofQueries);
        Vector256.Max(second0, second1).Store(ofQueries + 8);
    }

    private static bool IsAmdSince(int family)
    {
        var (_, first, second, third) = X86Base.CpuId(0, 0);
        var version = X86Base.CpuId(1, 0).Eax;
        return (first, second, third) == Amd && ((version >> 8) & 15) + ((version >> 20) & 255) >= family;
    }

    /// <summary>Products, added up by twos. Two of these and then their two sums keep more of a processor busy than in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Pairs(Vector512<short> first, Vector512<short> second)
        => Avx512BW.IsSupported
            ? Avx512BW.MultiplyAddAdjacent(first, second)
            : Vector512.Create(Pairs(first.GetLower(), second.GetLower()), Pairs(first.GetUpper(), second.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Pairs(Vector256<short> first, Vector256<short> second) => Avx2.MultiplyAddAdjacent(first, second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Raise(int* values, Vector512<int> others) => Vector512.Max(Vector512.Load(values), others).Store(values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Raise(int* values, Vector256<int> others) => Vector256.Max(Vector256.Load(values), others).Store(values);
}
