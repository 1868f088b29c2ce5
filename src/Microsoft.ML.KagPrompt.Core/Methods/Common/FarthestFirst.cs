using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// Greedy choice of directions that leaves none far away (k-centre): the first is the one least like all together, each next the one least
/// like the nearest of those taken, the first of equals. What <see cref="Coreset.Exact"/> takes of rows of unit length, but in 32 bit, and
/// in a fraction of its time.
/// </summary>
internal static class FarthestFirst
{
    /// <summary>The rows taken, in order, and for how many rows each of them stands: those that are most like it. Thread-safe.</summary>
    /// <param name="rows">[N · width], row by row, each of unit length.</param>
    /// <param name="width">Of a row.</param>
    /// <param name="count">How many, 1 to N.</param>
    public static (long[] Rows, int[] StandFor) Take(ReadOnlySpan<float> rows, int width, int count)
    {
        var (likeness, nearest) = (new float[rows.Length / width], new int[rows.Length / width]);
        var taken = new long[count];
        Array.Fill(likeness, float.NegativeInfinity);
        var next = Least(likeness, nearest, 0, rows, width, Sum(rows, width));
        Array.Fill(likeness, float.NegativeInfinity);
        for (var step = 0; step < count; step++)
        {
            (taken[step], likeness[next], nearest[next]) = (next, float.PositiveInfinity, step);
            next = Least(likeness, nearest, step, rows, width, rows.Slice(next * width, width));
        }

        var standFor = new int[count];
        foreach (var step in nearest)
        {
            standFor[step]++;
        }

        return (taken, standFor);
    }

    /// <summary>Raises the likeness of rows to that to a direction, of this number, and returns the row of the least.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Least(
        float[] likeness, int[] nearest, int number, ReadOnlySpan<float> rows, int width, ReadOnlySpan<float> direction)
    {
        var least = 0;
        for (var row = 0; row < likeness.Length; row++)
        {
            var product = Product(rows.Slice(row * width, width), direction);
            if (product > likeness[row])
            {
                (likeness[row], nearest[row]) = (product, number);
            }

            least = likeness[row] < likeness[least] ? row : least;
        }

        return least;
    }

    private static float[] Sum(ReadOnlySpan<float> rows, int width)
    {
        var sums = new double[width];
        for (var i = 0; i < rows.Length; i++)
        {
            sums[i % width] += rows[i];
        }

        return Array.ConvertAll(sums, sum => (float)sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Product(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var wide = MemoryMarshal.Cast<float, Vector<float>>(a);
        var others = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sums = Vector<float>.Zero;
        for (var i = 0; i < wide.Length; i++)
        {
            sums += wide[i] * others[i];
        }

        var product = Vector.Sum(sums);
        for (var i = wide.Length * Vector<float>.Count; i < a.Length; i++)
        {
            product += a[i] * b[i];
        }

        return product;
    }
}
