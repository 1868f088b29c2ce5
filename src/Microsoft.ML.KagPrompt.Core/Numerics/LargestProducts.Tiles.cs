using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <content>The innermost loops. Sums stay in registers until they are whole, which is why each has a name.</content>
internal static unsafe partial class LargestProducts
{
    /// <summary>12 rows against 32 queries: [12, 32].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile512(float* panel, float* rows, nint width, float* products)
    {
        Vector512<float> a0 = default, b0 = default, c0 = default, d0 = default, e0 = default, f0 = default;
        Vector512<float> g0 = default, h0 = default, i0 = default, j0 = default, k0 = default, l0 = default;
        Vector512<float> a1 = default, b1 = default, c1 = default, d1 = default, e1 = default, f1 = default;
        Vector512<float> g1 = default, h1 = default, i1 = default, j1 = default, k1 = default, l1 = default;
        float* row0 = rows, row3 = rows + (3 * width), row6 = rows + (6 * width), row9 = rows + (9 * width);
        var two = 2 * width;
        for (var end = rows + width; row0 < end; row0++, row3++, row6++, row9++, panel += 32)
        {
            var (query0, query1) = (Vector512.Load(panel), Vector512.Load(panel + 16));
            var a = Vector512.Create(row0[0]);
            (a0, a1) = (Vector512.FusedMultiplyAdd(query0, a, a0), Vector512.FusedMultiplyAdd(query1, a, a1));
            var b = Vector512.Create(row0[width]);
            (b0, b1) = (Vector512.FusedMultiplyAdd(query0, b, b0), Vector512.FusedMultiplyAdd(query1, b, b1));
            var c = Vector512.Create(row0[two]);
            (c0, c1) = (Vector512.FusedMultiplyAdd(query0, c, c0), Vector512.FusedMultiplyAdd(query1, c, c1));
            var d = Vector512.Create(row3[0]);
            (d0, d1) = (Vector512.FusedMultiplyAdd(query0, d, d0), Vector512.FusedMultiplyAdd(query1, d, d1));
            var e = Vector512.Create(row3[width]);
            (e0, e1) = (Vector512.FusedMultiplyAdd(query0, e, e0), Vector512.FusedMultiplyAdd(query1, e, e1));
            var f = Vector512.Create(row3[two]);
            (f0, f1) = (Vector512.FusedMultiplyAdd(query0, f, f0), Vector512.FusedMultiplyAdd(query1, f, f1));
            var g = Vector512.Create(row6[0]);
            (g0, g1) = (Vector512.FusedMultiplyAdd(query0, g, g0), Vector512.FusedMultiplyAdd(query1, g, g1));
            var h = Vector512.Create(row6[width]);
            (h0, h1) = (Vector512.FusedMultiplyAdd(query0, h, h0), Vector512.FusedMultiplyAdd(query1, h, h1));
            var i = Vector512.Create(row6[two]);
            (i0, i1) = (Vector512.FusedMultiplyAdd(query0, i, i0), Vector512.FusedMultiplyAdd(query1, i, i1));
            var j = Vector512.Create(row9[0]);
            (j0, j1) = (Vector512.FusedMultiplyAdd(query0, j, j0), Vector512.FusedMultiplyAdd(query1, j, j1));
            var k = Vector512.Create(row9[width]);
            (k0, k1) = (Vector512.FusedMultiplyAdd(query0, k, k0), Vector512.FusedMultiplyAdd(query1, k, k1));
            var l = Vector512.Create(row9[two]);
            (l0, l1) = (Vector512.FusedMultiplyAdd(query0, l, l0), Vector512.FusedMultiplyAdd(query1, l, l1));
        }

        Keep512(a0, a1, products);
        Keep512(b0, b1, products + 32);
        Keep512(c0, c1, products + 64);
        Keep512(d0, d1, products + 96);
        Keep512(e0, e1, products + 128);
        Keep512(f0, f1, products + 160);
        Keep512(g0, g1, products + 192);
        Keep512(h0, h1, products + 224);
        Keep512(i0, i1, products + 256);
        Keep512(j0, j1, products + 288);
        Keep512(k0, k1, products + 320);
        Keep512(l0, l1, products + 352);
    }

    private static void Keep512(Vector512<float> first, Vector512<float> second, float* products)
    {
        first.Store(products);
        second.Store(products + 16);
    }

    /// <summary>6 rows against 16 queries: [6, 16].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile256(float* panel, float* rows, nint width, float* products)
    {
        Vector256<float> a0 = default, b0 = default, c0 = default, d0 = default, e0 = default, f0 = default;
        Vector256<float> a1 = default, b1 = default, c1 = default, d1 = default, e1 = default, f1 = default;
        float* row0 = rows, row3 = rows + (3 * width);
        var two = 2 * width;
        for (var end = rows + width; row0 < end; row0++, row3++, panel += 16)
        {
            var (query0, query1) = (Vector256.Load(panel), Vector256.Load(panel + 8));
            var a = Vector256.Create(row0[0]);
            (a0, a1) = (Vector256.FusedMultiplyAdd(query0, a, a0), Vector256.FusedMultiplyAdd(query1, a, a1));
            var b = Vector256.Create(row0[width]);
            (b0, b1) = (Vector256.FusedMultiplyAdd(query0, b, b0), Vector256.FusedMultiplyAdd(query1, b, b1));
            var c = Vector256.Create(row0[two]);
            (c0, c1) = (Vector256.FusedMultiplyAdd(query0, c, c0), Vector256.FusedMultiplyAdd(query1, c, c1));
            var d = Vector256.Create(row3[0]);
            (d0, d1) = (Vector256.FusedMultiplyAdd(query0, d, d0), Vector256.FusedMultiplyAdd(query1, d, d1));
            var e = Vector256.Create(row3[width]);
            (e0, e1) = (Vector256.FusedMultiplyAdd(query0, e, e0), Vector256.FusedMultiplyAdd(query1, e, e1));
            var f = Vector256.Create(row3[two]);
            (f0, f1) = (Vector256.FusedMultiplyAdd(query0, f, f0), Vector256.FusedMultiplyAdd(query1, f, f1));
        }

        Keep256(a0, a1, products);
        Keep256(b0, b1, products + 16);
        Keep256(c0, c1, products + 32);
        Keep256(d0, d1, products + 48);
        Keep256(e0, e1, products + 64);
        Keep256(f0, f1, products + 80);
    }

    private static void Keep256(Vector256<float> first, Vector256<float> second, float* products)
    {
        first.Store(products);
        second.Store(products + 8);
    }
}
