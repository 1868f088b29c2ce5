using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Spade;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Spade;

/// <summary>SPADE's gallery, maps and scores at sizes of no golden file, against loops in 64 bit.</summary>
public sealed class SpadeNaiveTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly Random random = new(8);

    [Fact]
    public void Retrieve_MoreImagesThanK_TakesTheNearestInOrder()
    {
        var (supports, queries) = (Vectors(7, 5), Vectors(3, 5));
        var (distances, images) = new SpadeGallery(Matrix(supports), [], [], losesRemainder: false).Retrieve(Matrix(queries), 4);
        for (var query = 0; query < queries.Length; query++)
        {
            var expected = supports.Select((support, i) => (Distance: Distance(support, queries[query], 0), i))
                .OrderBy(pair => pair.Distance).Take(4).ToArray();
            images[query].data<long>().Should().Equal(expected.Select(pair => (long)pair.i));
            distances[query].data<float>().Zip(expected).Should().OnlyContain(pair => Math.Abs(pair.First - pair.Second.Distance) < 1e-6);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Distances_ImagesWithDifferentlyManyFeatures_EqualsLoops(bool losesRemainder)
    {
        long[] counts = [70, 45, 90];
        var features = counts.Select(count => Vectors((int)count, 3)).ToArray();
        var query = Vectors(11, 3);
        long[] retrieved = [2, 0];
        var walked = retrieved.SelectMany(image => features[image]).ToArray();
        walked = losesRemainder ? walked[..100] : walked;
        var gallery = new SpadeGallery(
            torch.zeros(3, 1), [Matrix([.. features.SelectMany(image => image)])], [.. counts.Select(count => new[] { count })],
            losesRemainder);
        gallery.Distances(0, Matrix(query), retrieved).data<float>()
            .Zip(query.Select(vector => walked.Min(row => Distance(row, vector, 1e-6))))
            .Should().OnlyContain(pair => Math.Abs(pair.First - pair.Second) < 2e-6);
    }

    [Fact]
    public void Distances_FewerThanAHundred_AreAllLookedAt()
    {
        var gallery = new SpadeGallery(torch.zeros(1, 1), [Matrix([[0, 0], [3, 4]])], [[2]], losesRemainder: true);
        gallery.Distances(0, Matrix([[3, 4]]), [0])[0].ToSingle().Should().BeLessThan(1e-5f);
    }

    [Fact]
    public void Score_GridsThatAreNotSquare_EqualsLoops()
    {
        const int Side = 20;
        const int Neighbours = 3;
        (int Rows, int Columns, int Width)[] layers = [(5, 7, 4), (3, 4, 6), (2, 3, 5)];
        torch.Tensor[] Drawn(int images) => [.. layers.Append((Rows: 2, Columns: 2, Width: 3)).Select(layer
            => Matrix(Vectors(images * layer.Width, layer.Rows * layer.Columns)).view(images, layer.Width, layer.Rows, layer.Columns))];
        var info = new VisionTowerInfo { PatchSize = 4, TapWidths = [.. layers.Select(layer => layer.Width)], JointWidth = 3,
            ImageSize = Side, Mean = [0, 0, 0], Std = [1, 1, 1] };
        using var method = new SpadeMethod(new() { Neighbours = Neighbours },
            new MethodSizes(info, info, Side, MapUpsampling.CellCentres, torch.CPU),
            [.. layers.Select(layer => PatchGrid.HalfPixel(layer.Rows, layer.Columns, Side, Side))]);
        var (supports, queries) = (Drawn(5), Drawn(2));
        using var reference = method.BuildReference([.. Enumerable.Range(0, 5).Select(i => method.Remember(
            StageFeatures.All([.. supports.Select(map => map.narrow(0, i, 1))]).Choose([1, 2, 3])))], null);

        using var scored = method.Score(StageFeatures.All(queries).Choose([1, 2, 3]), reference);

        scored.ShouldScore([.. Enumerable.Range(0, 2).Select(query =>
        {
            var nearest = Enumerable.Range(0, 5)
                .Select(support => (Distance: Distance(Pooled(supports[3], support), Pooled(queries[3], query), 0), Support: support))
                .OrderBy(pair => pair.Distance).Take(Neighbours).ToArray();
            var maps = layers.Select((layer, i) =>
            {
                var gallery = nearest.SelectMany(pair => Cells(supports[i], pair.Support)).ToArray();
                return NaiveScores.Enlarged([.. Cells(queries[i], query).Select(cell => gallery.Min(row => Distance(row, cell, 1e-6)))],
                    layer.Rows, layer.Columns, Side, corners: false);
            });
            double[] mean = [.. NaiveScores.Sum(maps).Select(sum => sum / layers.Length)];
            return (NaiveScores.Blurred(mean, Side, 4), nearest.Average(pair => pair.Distance));
        })], 1e-5);

        static double[][] Channels(torch.Tensor map, int image) => NaiveScores.Rows(map[image].flatten(1));
        static double[] Pooled(torch.Tensor map, int image) => [.. Channels(map, image).Select(channel => channel.Average())];
        static double[][] Cells(torch.Tensor map, int image) => NaiveScores.Rows(map[image].flatten(1).t());
    }

    public void Dispose() => scope.Dispose();

    private double[][] Vectors(int count, int width)
        => [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, width).Select(_ => random.NextDouble()).ToArray())];

    private static double Distance(double[] row, double[] query, double epsilon)
        => Math.Sqrt(row.Zip(query, (g, x) => (g - x + epsilon) * (g - x + epsilon)).Sum());

    private static torch.Tensor Matrix(double[][] rows)
        => torch.tensor(rows.SelectMany(row => row).Select(value => (float)value).ToArray(), [rows.Length, rows[0].Length]);
}
