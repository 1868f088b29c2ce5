using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.PatchCore;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.PatchCore;

/// <summary>PatchCore at sizes of no golden file, against loops in 64 bit in the published order: enlarge, then average.</summary>
public sealed class PatchCoreNaiveTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly Random random = new(5);

    [Theory]
    [InlineData(3, 7, 5, 4, 4, 3, 7, 5)]
    [InlineData(2, 6, 6, 3, 3, 3, 4, 9)]
    [InlineData(1, 5, 4, 2, 5, 4, 20, 3)]
    public void Embed_AnySizes_EqualsLoops(
        int fineChannels, int rows, int columns, int coarseChannels, int coarseRows, int coarseColumns, int stageWidth, int width)
    {
        double[][,,] maps = [Random(fineChannels, rows, columns), Random(coarseChannels, coarseRows, coarseColumns)];
        var expected = new double[rows * columns][];
        for (var p = 0; p < expected.Length; p++)
        {
            var (row, column) = (p / columns, p % columns);
            var fine = Pool(Block(maps[0], row, column), stageWidth);
            var coarse = Pool(Enlarged(maps[1], row, column, rows, columns), stageWidth);
            expected[p] = Pool([.. fine, .. coarse], width);
        }

        new PatchEmbedding(stageWidth, width).Embed([.. maps.Select(Tensor)])[0].ShouldBeClose(Matrix(expected), 1e-5, "embeddings");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Compute_SeveralImages_EqualsLoops(int neighbours)
    {
        var (bank, queries) = (Vectors(23, 6), Enumerable.Range(0, 2).Select(_ => Vectors(9, 6)).ToArray());
        var (patches, images) = new PatchScores(new() { Neighbours = neighbours })
            .Compute(torch.stack([.. queries.Select(Matrix)]), Matrix(bank));
        var expected = queries.Select(
            image => image.Select(query => bank.Select(row => Squared(row, query)).Order().Take(neighbours).Average()).ToArray()).ToArray();
        patches.ShouldBeClose(Matrix(expected), 1e-5, "mean squared distances to the nearest");
        images.ShouldBeClose(Matrix([[.. expected.Select(image => image.Max())]])[0], 1e-5, "each image's own largest");
    }

    [Fact]
    public void Compute_AsInThePaper_EqualsLoops()
    {
        var (bank, query) = (Vectors(23, 6), Vectors(9, 6));
        var nearest = query.Select(
            vector => bank.Select((row, i) => (Distance: Math.Sqrt(Squared(row, vector)), Row: i)).MinBy(pair => pair.Distance)).ToArray();
        var farthest = Enumerable.Range(0, query.Length).MaxBy(i => nearest[i].Distance);
        var about = bank.OrderBy(row => Squared(row, bank[nearest[farthest].Row])).Take(4)
            .Select(row => Math.Exp(Math.Sqrt(Squared(row, query[farthest])))).ToArray();
        var expected = (1 - (Math.Exp(nearest[farthest].Distance) / about.Sum())) * nearest[farthest].Distance;
        var (_, images) = new PatchScores(new() { Scoring = PatchCoreScoring.Paper, Neighbourhood = 4 })
            .Compute(Matrix(query).unsqueeze(0), Matrix(bank));
        images[0].ToSingle().Should().BeApproximately((float)expected, 1e-5f);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Coreset_OfRandomRows_EqualsLoops(bool approximate)
    {
        var rows = Vectors(40, 3);
        double Distance(int a, int b) => Math.Sqrt(Squared(rows[a], rows[b]));
        long[] starts = [3, 17, 29];
        var values = Enumerable.Range(0, rows.Length).Select(i => approximate ? starts.Average(start => Distance(i, (int)start))
            : Math.Sqrt(Enumerable.Range(0, rows.Length).Sum(j => Squared(rows[i], rows[j])))).ToArray();
        var expected = new List<long>();
        for (var step = 0; step < 25; step++)
        {
            var taken = Array.IndexOf(values, values.Max());
            expected.Add(taken);
            values = [.. values.Select((value, i) => Math.Min(value, Distance(i, taken)))];
        }

        var found = approximate ? Coreset.Approximate(Matrix(rows), 25, starts) : Coreset.Exact(Matrix(rows), 25);
        found.Should().Equal(expected);
    }

    [Fact]
    public void Project_SameSeed_IsTheSame_AndKeepsWhatHasTheWidth()
    {
        var rows = Matrix(Vectors(8, 12));
        var (first, again, other) = (
            Coreset.Project(rows, 5, seed: 1), Coreset.Project(rows, 5, seed: 1), Coreset.Project(rows, 5, seed: 2));
        first.shape.Should().Equal(8, 5);
        first.ShouldBeClose(again, 0, "the seed decides");
        (first - other).abs().max().ToSingle().Should().BeGreaterThan(0.01f);
        Coreset.Project(rows, 12, seed: 1).ShouldBeClose(rows, 0, "there is nothing to project");
    }

    [Fact]
    public void Find_BankInSeveralPieces_EqualsOne()
    {
        // 600 queries leave pieces of 1747 rows.
        var (queries, bank) = (torch.randn(600, 4), torch.randn(4000, 4));
        var (squared, rows) = NearestNeighbours.Find(queries, bank, 3);
        var all = (queries.unsqueeze(1) - bank.unsqueeze(0)).pow(2).sum(2);
        var (expected, indexes) = all.topk(3, 1, largest: false);
        squared.ShouldBeClose(expected, 1e-5, "the three nearest of all pieces");
        rows.eq(indexes).to(torch.ScalarType.Float32).mean().ToSingle().Should().BeGreaterThan(0.999f, "but for equally near ones");
        NearestNeighbours.Find(queries, bank.narrow(0, 0, 2), 3).Rows.shape.Should().Equal(600, 2);
    }

    public void Dispose() => scope.Dispose();

    private double[,,] Random(int channels, int rows, int columns)
    {
        var map = new double[channels, rows, columns];
        foreach (var (c, r, k) in from c in Enumerable.Range(0, channels) from r in Enumerable.Range(0, rows) from k in Enumerable
            .Range(0, columns) select (c, r, k))
        {
            map[c, r, k] = random.NextDouble() - 0.5;
        }

        return map;
    }

    private double[][] Vectors(int count, int width)
        => [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, width).Select(_ => random.NextDouble()).ToArray())];

    /// <summary>Channel slowest, then the rows of the 3 × 3 block; 0 beyond the edges.</summary>
    private static double[] Block(double[,,] map, int row, int column)
    {
        var values = new List<double>();
        for (var c = 0; c < map.GetLength(0); c++)
        {
            for (var i = 0; i < 9; i++)
            {
                var (r, k) = (row + (i / 3) - 1, column + (i % 3) - 1);
                values.Add(r < 0 || k < 0 || r >= map.GetLength(1) || k >= map.GetLength(2) ? 0 : map[c, r, k]);
            }
        }

        return [.. values];
    }

    /// <summary>The blocks of a coarser map, read linearly at the middle of a finer cell.</summary>
    private static double[] Enlarged(double[,,] map, int row, int column, int rows, int columns)
    {
        static (int Below, int Above, double Part) Place(int at, int cells, int of)
        {
            var place = Math.Max(0, ((at + 0.5) * cells / of) - 0.5);
            var below = (int)place;
            return (below, Math.Min(below + 1, cells - 1), place - below);
        }

        var (down, across) = (Place(row, map.GetLength(1), rows), Place(column, map.GetLength(2), columns));
        double[] At(int r, int k) => Block(map, r, k);
        var corners = new[] { (At(down.Below, across.Below), (1 - down.Part) * (1 - across.Part)),
            (At(down.Below, across.Above), (1 - down.Part) * across.Part),
            (At(down.Above, across.Below), down.Part * (1 - across.Part)), (At(down.Above, across.Above), down.Part * across.Part) };
        return [.. Enumerable.Range(0, corners[0].Item1.Length).Select(i => corners.Sum(corner => corner.Item1[i] * corner.Item2))];
    }

    private static double[] Pool(double[] values, int outputs) => [.. Enumerable.Range(0, outputs).Select(i =>
    {
        var (first, end) = (i * values.Length / outputs, (((i + 1) * values.Length) + outputs - 1) / outputs);
        return values[first..end].Average();
    })];

    private static double Squared(double[] a, double[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();

    private static torch.Tensor Tensor(double[,,] map)
        => torch.tensor(map.Cast<double>().Select(value => (float)value).ToArray(),
            [1, map.GetLength(0), map.GetLength(1), map.GetLength(2)]);

    private static torch.Tensor Matrix(double[][] rows)
        => torch.tensor(rows.SelectMany(row => row).Select(value => (float)value).ToArray(), [rows.Length, rows[0].Length]);
}
