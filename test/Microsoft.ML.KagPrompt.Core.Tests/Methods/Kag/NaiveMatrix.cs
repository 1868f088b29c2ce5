namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Matrices as loops.</summary>
internal static class NaiveMatrix
{
    public static double Sigmoid(double value) => 1 / (1 + Math.Exp(-value));

    public static double[,] SoftmaxRows(double[,] x)
    {
        var sums = Enumerable.Range(0, x.GetLength(0)).Select(l => Enumerable.Range(0, x.GetLength(1)).Sum(m => Math.Exp(x[l, m]))).ToArray();
        return Fill(x.GetLength(0), x.GetLength(1), (l, m) => Math.Exp(x[l, m]) / sums[l]);
    }

    public static double[,] Multiply(double[,] a, double[,] b) =>
        Fill(a.GetLength(0), b.GetLength(1), (i, j) => Enumerable.Range(0, a.GetLength(1)).Sum(k => a[i, k] * b[k, j]));

    public static double[,] Transpose(double[,] a) => Fill(a.GetLength(1), a.GetLength(0), (i, j) => a[j, i]);

    public static double[,] Beside(double[,] a, double[,] b) =>
        Fill(a.GetLength(0), a.GetLength(1) + b.GetLength(1), (i, j) => j < a.GetLength(1) ? a[i, j] : b[i, j - a.GetLength(1)]);

    public static double[,] Map(double[,] a, Func<double, double> f) => Fill(a.GetLength(0), a.GetLength(1), (i, j) => f(a[i, j]));

    public static double[,] Combine(double[,] a, double[,] b, Func<double, double, double> f) => Fill(a.GetLength(0), a.GetLength(1), (i, j) => f(a[i, j], b[i, j]));

    public static double[,] Fill(int rows, int columns, Func<int, int, double> f)
    {
        var result = new double[rows, columns];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                result[i, j] = f(i, j);
            }
        }

        return result;
    }

    public static double[,] UnitRows(double[,] a)
    {
        var norms = Enumerable.Range(0, a.GetLength(0)).Select(l => Math.Sqrt(Enumerable.Range(0, a.GetLength(1)).Sum(c => a[l, c] * a[l, c]))).ToArray();
        return Fill(a.GetLength(0), a.GetLength(1), (l, c) => a[l, c] / norms[l]);
    }
}
