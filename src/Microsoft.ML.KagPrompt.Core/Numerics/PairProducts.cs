using System.Runtime.CompilerServices;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Products of single queries with single rows, the same bits as those of <see cref="ProductTiles"/>: their terms are added in the same
/// order, one waiting for the other, which is why some products are added up side by side. One thread's.
/// </summary>
/// <param name="queries">The queries.</param>
/// <param name="rows">The rows.</param>
/// <param name="width">Of both.</param>
internal sealed unsafe class PairProducts(float* queries, float* rows, int width)
{
    // As many sums as a processor begins before the first has its next term.
    private const int AtOnce = 4;

    private readonly int[] asked = new int[AtOnce], near = new int[AtOnce];
    private readonly float*[] largest = new float*[AtOnce];
    private int waiting;

    /// <summary>Takes one more. It raises a largest one, at the latest when <see cref="Finish"/> is called.</summary>
    public void Add(int query, int row, float* raised)
    {
        (asked[waiting], near[waiting]) = (query, row);
        largest[waiting] = raised;
        if (++waiting == AtOnce)
        {
            Finish();
        }
    }

    /// <summary>Those that wait are multiplied.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Finish()
    {
        if (waiting == 0)
        {
            return;
        }

        for (; waiting < AtOnce; waiting++)
        {
            (asked[waiting], near[waiting]) = (asked[0], near[0]);
            largest[waiting] = largest[0];
        }

        waiting = 0;
        float* a = Query(0), b = Query(1), c = Query(2), d = Query(3);
        float* e = Row(0), f = Row(1), g = Row(2), h = Row(3);
        float first = 0, second = 0, third = 0, fourth = 0;
        for (nint i = 0; i < width; i++)
        {
            first = MathF.FusedMultiplyAdd(a[i], e[i], first);
            second = MathF.FusedMultiplyAdd(b[i], f[i], second);
            third = MathF.FusedMultiplyAdd(c[i], g[i], third);
            fourth = MathF.FusedMultiplyAdd(d[i], h[i], fourth);
        }

        *largest[0] = MathF.Max(*largest[0], first);
        *largest[1] = MathF.Max(*largest[1], second);
        *largest[2] = MathF.Max(*largest[2], third);
        *largest[3] = MathF.Max(*largest[3], fourth);
    }

    private float* Query(int place) => queries + ((nint)asked[place] * width);

    private float* Row(int place) => rows + ((nint)near[place] * width);
}
