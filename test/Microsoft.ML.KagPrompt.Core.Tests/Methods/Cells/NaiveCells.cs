namespace Microsoft.ML.KagPrompt.Tests.Methods.Cells;

/// <summary>Scorers of cells in double precision, written from their definitions.</summary>
internal static class NaiveCells
{
    public static double[] Unit(double[] values)
    {
        var length = Math.Sqrt(values.Sum(value => value * value));
        return [.. values.Select(value => value / length)];
    }

    /// <summary>The taps' features of a cell, each at unit length, one after the other, at unit length together.</summary>
    public static double[] Joined(params double[][] taps) => Unit([.. taps.SelectMany(Unit)]);

    public static double Cosine(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    /// <summary>The mean of the largest values.</summary>
    public static double TopMean(IEnumerable<double> values, double share)
    {
        var sorted = values.OrderDescending().ToArray();
        return sorted[..Math.Max(1, (int)(share * sorted.Length))].Average();
    }

    /// <summary>Cells that tile a square → pixels, linear between their centres.</summary>
    public static double[,] Enlarged(double[] cells, int grid, int side)
    {
        double Place(int pixel) => Math.Clamp(((pixel + 0.5) * grid / side) - 0.5, 0, grid - 1);
        var map = new double[side, side];
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var (v, u) = (Place(y), Place(x));
                var (r, c) = (Math.Min((int)v, grid - 2), Math.Min((int)u, grid - 2));
                double Cell(int row, int column) => cells[(row * grid) + column];
                map[y, x] = ((1 - (v - r)) * (((1 - (u - c)) * Cell(r, c)) + ((u - c) * Cell(r, c + 1))))
                    + ((v - r) * (((1 - (u - c)) * Cell(r + 1, c)) + ((u - c) * Cell(r + 1, c + 1))));
            }
        }

        return map;
    }

    /// <summary>Both directions at once, over the mirrored plane.</summary>
    public static double[,] Blurred(double[,] map, double sigma)
    {
        var (side, radius) = (map.GetLength(0), (int)((4 * sigma) + 0.5));
        double Weight(int step) => Math.Exp(-step * step / (2 * sigma * sigma));
        var total = Enumerable.Range(-radius, (2 * radius) + 1).Sum(Weight);
        int Mirror(int at)
        {
            while (at < 0 || at >= side)
            {
                at = at < 0 ? -at - 1 : (2 * side) - 1 - at;
            }

            return at;
        }

        var blurred = new double[side, side];
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                for (var dy = -radius; dy <= radius; dy++)
                {
                    for (var dx = -radius; dx <= radius; dx++)
                    {
                        blurred[y, x] += Weight(dy) * Weight(dx) / total / total * map[Mirror(y + dy), Mirror(x + dx)];
                    }
                }
            }
        }

        return blurred;
    }
}
