using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Tests.Methods.Cells;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods;

/// <summary>What the comparison methods' scores are made of, in double precision and by loops.</summary>
internal static class NaiveScores
{
    /// <summary>Rows of the last dimension.</summary>
    public static double[][] Rows(torch.Tensor tensor)
        => [.. tensor.detach().contiguous().data<float>().ToArray().Select(value => (double)value).Chunk((int)tensor.shape[^1])];

    public static double Dot(double[] a, double[] b) => a.Select((value, i) => value * b[i]).Sum();

    /// <summary>1 − the largest cosine.</summary>
    public static double Distance(double[] own, IEnumerable<double[]> others)
        => 1 - others.Max(other => NaiveCells.Cosine(NaiveCells.Unit(own), NaiveCells.Unit(other)));

    /// <summary>The second of two in their softmax.</summary>
    public static double Second(double first, double second) => Math.Exp(second) / (Math.Exp(first) + Math.Exp(second));

    /// <summary>
    /// Cells row by row → pixels row by row, linear between centres that tile the square, or between corners on its corners.
    /// </summary>
    public static double[] Enlarged(double[] cells, int rows, int columns, int side, bool corners)
    {
        double Place(int pixel, int count) => corners ? pixel * (count - 1.0) / (side - 1)
            : Math.Clamp(((pixel + 0.5) * count / side) - 0.5, 0, count - 1);
        var map = new double[side * side];
        for (var pixel = 0; pixel < map.Length; pixel++)
        {
            var (v, u) = (Place(pixel / side, rows), Place(pixel % side, columns));
            for (var cell = 0; cell < cells.Length; cell++)
            {
                var (down, across) = (1 - Math.Abs(v - (cell / columns)), 1 - Math.Abs(u - (cell % columns)));
                map[pixel] += Math.Max(0, down) * Math.Max(0, across) * cells[cell];
            }
        }

        return map;
    }

    public static double[] Blurred(double[] map, int side, double sigma)
    {
        var square = new double[side, side];
        Buffer.BlockCopy(map, 0, square, 0, sizeof(double) * map.Length);
        return [.. NaiveCells.Blurred(square, sigma).Cast<double>()];
    }

    /// <summary>The sum of maps, pixel by pixel.</summary>
    public static double[] Sum(IEnumerable<double[]> maps) => maps.Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]);

    /// <summary>Asserts each image's map and score, but for a share of the largest.</summary>
    public static void ShouldScore(this MethodScores actual, IReadOnlyList<(double[] Map, double Score)> expected, double share)
    {
        var side = (long)Math.Sqrt(expected[0].Map.Length);
        actual.Maps.ShouldBeNear(torch.tensor([.. expected.SelectMany(image => image.Map)], [expected.Count, side, side]), share,
            "maps");
        actual.Scores.ShouldBeNear(torch.tensor([.. expected.Select(image => image.Score)]), share, "scores");
    }
}
