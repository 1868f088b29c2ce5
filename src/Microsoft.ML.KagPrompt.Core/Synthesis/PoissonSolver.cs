using System.Numerics;
using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Solves the discrete Poisson equation on a rectangle with zero values around it.</summary>
/// <remarks>
/// A sine transform along the rows turns the five-point Laplacian into one tridiagonal system for each frequency, solved down the columns.
/// Patches are small, so the transform is a product with the sine matrix.
/// </remarks>
internal static class PoissonSolver
{
    /// <summary>Replaces right-hand sides by solutions, in place.</summary>
    /// <param name="values">Several rectangles one after the other, each row by row.</param>
    /// <param name="width">Columns of a rectangle.</param>
    /// <param name="height">Rows of a rectangle.</param>
    public static void Solve(Span<double> values, int width, int height)
    {
        var sines = SineMatrix(width);
        var transformed = new double[values.Length];
        TransformRows(values, transformed, sines, width);
        var pivots = Pivots(width, height);
        for (var start = 0; start < transformed.Length; start += width * height)
        {
            SolveColumns(transformed.AsSpan(start, width * height), pivots, width, height);
        }

        TransformRows(transformed, values, sines, width);
    }

    /// <summary>sin(π (j+1)(k+1) / (n+1)), scaled so that the matrix is its own inverse.</summary>
    private static double[] SineMatrix(int n)
    {
        var period = 2 * (n + 1);
        var table = new double[period];
        for (var i = 0; i < period; i++)
        {
            table[i] = Math.Sqrt(2.0 / (n + 1)) * Math.Sin(2 * Math.PI * i / period);
        }

        var matrix = new double[n * n];
        for (var j = 0; j < n; j++)
        {
            for (var k = 0; k < n; k++)
            {
                matrix[(j * n) + k] = table[(int)((j + 1L) * (k + 1) % period)];
            }
        }

        return matrix;
    }

    private static void TransformRows(ReadOnlySpan<double> input, Span<double> output, ReadOnlySpan<double> sines, int width)
    {
        for (var start = 0; start < input.Length; start += width)
        {
            var target = output.Slice(start, width);
            target.Clear();
            for (var j = 0; j < width; j++)
            {
                AddScaled(target, sines.Slice(j * width, width), input[start + j]);
            }
        }
    }

    private static void AddScaled(Span<double> target, ReadOnlySpan<double> source, double factor)
    {
        var wideTarget = MemoryMarshal.Cast<double, Vector<double>>(target);
        var wideSource = MemoryMarshal.Cast<double, Vector<double>>(source);
        for (var i = 0; i < wideSource.Length; i++)
        {
            wideTarget[i] += wideSource[i] * factor;
        }

        for (var i = wideSource.Length * Vector<double>.Count; i < source.Length; i++)
        {
            target[i] += source[i] * factor;
        }
    }

    /// <summary>Reciprocal pivots of the elimination for each row and frequency; the same for every right-hand side.</summary>
    private static double[] Pivots(int width, int height)
    {
        var pivots = new double[width * height];
        for (var k = 0; k < width; k++)
        {
            var diagonal = (2 * Math.Cos(Math.PI * (k + 1) / (width + 1))) - 4;
            for (var (y, above) = (0, 0.0); y < height; y++)
            {
                above = pivots[(y * width) + k] = 1 / (diagonal - above);
            }
        }

        return pivots;
    }

    private static void SolveColumns(Span<double> values, ReadOnlySpan<double> pivots, int width, int height)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (values[i] - (i < width ? 0 : values[i - width])) * pivots[i];
        }

        for (var i = values.Length - width - 1; i >= 0; i--)
        {
            values[i] -= pivots[i] * values[i + width];
        }
    }
}
