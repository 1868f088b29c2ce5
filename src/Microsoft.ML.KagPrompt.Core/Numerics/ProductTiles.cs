using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// The innermost loops of products and convolutions: some rows against a panel of columns. Sums stay in registers until they are whole,
/// which is why each has a name. libtorch's matrix library leaves half of what other makers' processors can do unused.
/// </summary>
/// <remarks>A sum's terms are added in their order, whatever the instructions: results are the same bits.</remarks>
internal static unsafe class ProductTiles
{
    /// <summary>A tile's sums at most.</summary>
    public const int Largest = 14 * 32;

    private static readonly AsyncLocal<bool> LeftOut = new();

    /// <summary>Whether the caller does without, as processors do that lack the instructions: for tests of what they compute.</summary>
    internal static bool IsLeftOut { get => LeftOut.Value; set => LeftOut.Value = value; }

    /// <summary>Numbers that this processor's widest instructions take: 16, 8, or 0 where it has neither.</summary>
    internal static int WidestLanes { get; }
        = Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated && Fma.IsSupported ? 8 : 0;

    /// <summary>Whether these are numbers that they take: of 32 bit, in the memory of a processor that has the instructions.</summary>
    public static bool Take(torch.Tensor numbers)
        => WidestLanes > 0 && !IsLeftOut && numbers.device_type == DeviceType.CPU && numbers.dtype == torch.ScalarType.Float32;

    /// <summary>A tile's rows against a panel: [rows, across].</summary>
    /// <param name="shape">Of the tile.</param>
    /// <param name="panel">[length of a row's lines together, across].</param>
    /// <param name="rows">The first row.</param>
    /// <param name="window">Where the others lie, and how long they are.</param>
    /// <param name="sums">Room for <see cref="Largest"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(TileShape shape, float* panel, float* rows, in RowWindow window, float* sums)
    {
        if (shape.Lanes == 16)
        {
            Tile512(panel, rows, window, sums);
        }
        else
        {
            Tile256(panel, rows, window, sums);
        }
    }

    /// <summary>14 rows against 32 columns: [14, 32].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile512(float* weights, float* pixels, in RowWindow window, float* sums)
    {
        Vector512<float> a0 = default, b0 = default, c0 = default, d0 = default, e0 = default, f0 = default;
        Vector512<float> g0 = default, h0 = default, i0 = default, j0 = default, k0 = default, l0 = default;
        Vector512<float> m0 = default, n0 = default;
        Vector512<float> a1 = default, b1 = default, c1 = default, d1 = default, e1 = default, f1 = default;
        Vector512<float> g1 = default, h1 = default, i1 = default, j1 = default, k1 = default, l1 = default;
        Vector512<float> m1 = default, n1 = default;
        var (step, two, length) = (window.Step, 2 * window.Step, window.Length);
        for (var line = 0; line < window.Lines; line++, pixels += window.Pitch)
        {
            float* at0 = pixels, at3 = pixels + (3 * step), at6 = pixels + (6 * step);
            float* at9 = pixels + (9 * step), at12 = pixels + (12 * step);
            for (var end = pixels + length; at0 < end; weights += 32)
            {
                var (weight0, weight1) = (Vector512.Load(weights), Vector512.Load(weights + 16));
                var a = Vector512.Create(at0[0]);
                (a0, a1) = (Vector512.FusedMultiplyAdd(weight0, a, a0), Vector512.FusedMultiplyAdd(weight1, a, a1));
                var b = Vector512.Create(at0[step]);
                (b0, b1) = (Vector512.FusedMultiplyAdd(weight0, b, b0), Vector512.FusedMultiplyAdd(weight1, b, b1));
                var c = Vector512.Create(at0[two]);
                (c0, c1) = (Vector512.FusedMultiplyAdd(weight0, c, c0), Vector512.FusedMultiplyAdd(weight1, c, c1));
                var d = Vector512.Create(at3[0]);
                (d0, d1) = (Vector512.FusedMultiplyAdd(weight0, d, d0), Vector512.FusedMultiplyAdd(weight1, d, d1));
                var e = Vector512.Create(at3[step]);
                (e0, e1) = (Vector512.FusedMultiplyAdd(weight0, e, e0), Vector512.FusedMultiplyAdd(weight1, e, e1));
                var f = Vector512.Create(at3[two]);
                (f0, f1) = (Vector512.FusedMultiplyAdd(weight0, f, f0), Vector512.FusedMultiplyAdd(weight1, f, f1));
                var g = Vector512.Create(at6[0]);
                (g0, g1) = (Vector512.FusedMultiplyAdd(weight0, g, g0), Vector512.FusedMultiplyAdd(weight1, g, g1));
                var h = Vector512.Create(at6[step]);
                (h0, h1) = (Vector512.FusedMultiplyAdd(weight0, h, h0), Vector512.FusedMultiplyAdd(weight1, h, h1));
                var i = Vector512.Create(at6[two]);
                (i0, i1) = (Vector512.FusedMultiplyAdd(weight0, i, i0), Vector512.FusedMultiplyAdd(weight1, i, i1));
                var j = Vector512.Create(at9[0]);
                (j0, j1) = (Vector512.FusedMultiplyAdd(weight0, j, j0), Vector512.FusedMultiplyAdd(weight1, j, j1));
                var k = Vector512.Create(at9[step]);
                (k0, k1) = (Vector512.FusedMultiplyAdd(weight0, k, k0), Vector512.FusedMultiplyAdd(weight1, k, k1));
                var l = Vector512.Create(at9[two]);
                (l0, l1) = (Vector512.FusedMultiplyAdd(weight0, l, l0), Vector512.FusedMultiplyAdd(weight1, l, l1));
                var m = Vector512.Create(at12[0]);
                (m0, m1) = (Vector512.FusedMultiplyAdd(weight0, m, m0), Vector512.FusedMultiplyAdd(weight1, m, m1));
                var n = Vector512.Create(at12[step]);
                (n0, n1) = (Vector512.FusedMultiplyAdd(weight0, n, n0), Vector512.FusedMultiplyAdd(weight1, n, n1));
                at0++; at3++; at6++; at9++; at12++;
            }
        }

        Keep512(a0, a1, sums);
        Keep512(b0, b1, sums + 32);
        Keep512(c0, c1, sums + 64);
        Keep512(d0, d1, sums + 96);
        Keep512(e0, e1, sums + 128);
        Keep512(f0, f1, sums + 160);
        Keep512(g0, g1, sums + 192);
        Keep512(h0, h1, sums + 224);
        Keep512(i0, i1, sums + 256);
        Keep512(j0, j1, sums + 288);
        Keep512(k0, k1, sums + 320);
        Keep512(l0, l1, sums + 352);
        Keep512(m0, m1, sums + 384);
        Keep512(n0, n1, sums + 416);
    }

    private static void Keep512(Vector512<float> first, Vector512<float> second, float* sums)
    {
        first.Store(sums);
        second.Store(sums + 16);
    }

    /// <summary>6 rows against 16 columns: [6, 16].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile256(float* weights, float* pixels, in RowWindow window, float* sums)
    {
        Vector256<float> a0 = default, b0 = default, c0 = default, d0 = default, e0 = default, f0 = default;
        Vector256<float> a1 = default, b1 = default, c1 = default, d1 = default, e1 = default, f1 = default;
        var (step, two, length) = (window.Step, 2 * window.Step, window.Length);
        for (var line = 0; line < window.Lines; line++, pixels += window.Pitch)
        {
            float* at0 = pixels, at3 = pixels + (3 * step);
            for (var end = pixels + length; at0 < end; weights += 16)
            {
                var (weight0, weight1) = (Vector256.Load(weights), Vector256.Load(weights + 8));
                var a = Vector256.Create(at0[0]);
                (a0, a1) = (Vector256.FusedMultiplyAdd(weight0, a, a0), Vector256.FusedMultiplyAdd(weight1, a, a1));
                var b = Vector256.Create(at0[step]);
                (b0, b1) = (Vector256.FusedMultiplyAdd(weight0, b, b0), Vector256.FusedMultiplyAdd(weight1, b, b1));
                var c = Vector256.Create(at0[two]);
                (c0, c1) = (Vector256.FusedMultiplyAdd(weight0, c, c0), Vector256.FusedMultiplyAdd(weight1, c, c1));
                var d = Vector256.Create(at3[0]);
                (d0, d1) = (Vector256.FusedMultiplyAdd(weight0, d, d0), Vector256.FusedMultiplyAdd(weight1, d, d1));
                var e = Vector256.Create(at3[step]);
                (e0, e1) = (Vector256.FusedMultiplyAdd(weight0, e, e0), Vector256.FusedMultiplyAdd(weight1, e, e1));
                var f = Vector256.Create(at3[two]);
                (f0, f1) = (Vector256.FusedMultiplyAdd(weight0, f, f0), Vector256.FusedMultiplyAdd(weight1, f, f1));
                at0++; at3++;
            }
        }

        Keep256(a0, a1, sums);
        Keep256(b0, b1, sums + 16);
        Keep256(c0, c1, sums + 32);
        Keep256(d0, d1, sums + 48);
        Keep256(e0, e1, sums + 64);
        Keep256(f0, f1, sums + 80);
    }

    private static void Keep256(Vector256<float> first, Vector256<float> second, float* sums)
    {
        first.Store(sums);
        second.Store(sums + 8);
    }
}

/// <summary>Rows of a product: each of one or several lines of numbers that lie side by side.</summary>
/// <param name="Step">Numbers from a row to the next.</param>
/// <param name="Lines">Of a row.</param>
/// <param name="Length">Of a line.</param>
/// <param name="Pitch">From a row's line to its next.</param>
internal readonly record struct RowWindow(nint Step, int Lines, nint Length, nint Pitch)
{
    /// <summary>Rows of a matrix.</summary>
    public static RowWindow OfMatrix(nint step, nint length) => new(step, 1, length, 0);
}

/// <summary>What the registers hold the sums of.</summary>
/// <param name="Lanes">Of the instructions, 16 or 8.</param>
internal readonly record struct TileShape(int Lanes)
{
    /// <summary>Of this processor's widest instructions.</summary>
    public static TileShape Widest => new(ProductTiles.WidestLanes);

    public int Rows => Lanes == 16 ? 14 : 6;

    /// <summary>Columns; also a panel's.</summary>
    public int Across => 2 * Lanes;
}
