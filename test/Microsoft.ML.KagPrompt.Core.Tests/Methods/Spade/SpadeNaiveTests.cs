using Microsoft.ML.KagPrompt.Methods.Spade;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Spade;

/// <summary>SPADE's gallery at sizes of no golden file, against loops in 64 bit.</summary>
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

    public void Dispose() => scope.Dispose();

    private double[][] Vectors(int count, int width)
        => [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, width).Select(_ => random.NextDouble()).ToArray())];

    private static double Distance(double[] row, double[] query, double epsilon)
        => Math.Sqrt(row.Zip(query, (g, x) => (g - x + epsilon) * (g - x + epsilon)).Sum());

    private static torch.Tensor Matrix(double[][] rows)
        => torch.tensor(rows.SelectMany(row => row).Select(value => (float)value).ToArray(), [rows.Length, rows[0].Length]);
}
