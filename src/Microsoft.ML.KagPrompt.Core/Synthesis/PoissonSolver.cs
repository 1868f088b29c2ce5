using System.Collections.Concurrent;
using System.Numerics;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Solves Δu = f on a rectangle with u = 0 around it, by the discrete sine transform.</summary>
internal static class PoissonSolver
{
    private static readonly ConcurrentDictionary<int, double[]> Sines = new();

    /// <summary>f (rows × columns) is replaced by u.</summary>
    public static void Solve(double[] f, int rows, int columns)
    {
        var (down, along) = (Sine(rows), Sine(columns));
        var scratch = new double[f.Length];
        Transform(f, down, along, rows, columns, scratch);
        for (var i = 0; i < rows; i++)
        {
            var vertical = 2 * Math.Cos(Math.PI * (i + 1) / (rows + 1));
            for (var j = 0; j < columns; j++)
            {
                f[(i * columns) + j] /= vertical + (2 * Math.Cos(Math.PI * (j + 1) / (columns + 1))) - 4;
            }
        }

        // The transform is its own inverse up to a factor.
        Transform(f, down, along, rows, columns, scratch);
        var scale = 4.0 / ((rows + 1.0) * (columns + 1.0));
        for (var i = 0; i < f.Length; i++)
        {
            f[i] *= scale;
        }
    }

    /// <summary>f ← D f A with symmetric sine matrices.</summary>
    private static void Transform(double[] f, double[] down, double[] along, int rows, int columns, double[] scratch)
    {
        Multiply(f, along, scratch, rows, columns, columns);
        Multiply(down, scratch, f, rows, rows, columns);
    }

    /// <summary>c = a b, row by row so that the inner loop runs along memory.</summary>
    private static void Multiply(double[] a, double[] b, double[] c, int rows, int inner, int columns)
    {
        for (var i = 0; i < rows; i++)
        {
            var target = c.AsSpan(i * columns, columns);
            target.Clear();
            for (var k = 0; k < inner; k++)
            {
                AddScaled(b.AsSpan(k * columns, columns), a[(i * inner) + k], target);
            }
        }
    }

    private static void AddScaled(ReadOnlySpan<double> row, double factor, Span<double> target)
    {
        var i = 0;
        for (; i <= row.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            (new Vector<double>(target[i..]) + (new Vector<double>(row[i..]) * factor)).CopyTo(target[i..]);
        }

        for (; i < row.Length; i++)
        {
            target[i] += row[i] * factor;
        }
    }

    private static double[] Sine(int size) => Sines.GetOrAdd(size, static n =>
    {
        var sines = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                sines[(i * n) + j] = Math.Sin(Math.PI * (i + 1) * (j + 1) / (n + 1));
            }
        }

        return sines;
    });
}
