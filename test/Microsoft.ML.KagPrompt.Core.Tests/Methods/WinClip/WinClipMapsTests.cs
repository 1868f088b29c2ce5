using Microsoft.ML.KagPrompt.Methods.WinClip;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.WinClip;

public sealed class WinClipMapsTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly torch.Generator random = new(11);

    [Fact]
    public void Abnormality_TextsOfAnyLength_EqualsSoftmaxOfCosines()
    {
        var (embeddings, text) = (torch.randn([3, 4, 6], generator: random).mul(3),
            torch.randn([2, 6], generator: random).mul(torch.tensor(new[] { 5f, 0.2f }).view(2, 1)));

        var actual = WinClipMaps.Abnormality(embeddings, text).data<float>().ToArray();

        var (e, t) = (embeddings.data<float>().Select(value => (double)value).ToArray(),
            text.data<float>().Select(value => (double)value).ToArray());
        for (var i = 0; i < actual.Length; i++)
        {
            var row = e[(6 * i)..(6 * (i + 1))];
            var (normal, abnormal) = (Math.Exp(Cosine(row, t[..6]) / 0.07), Math.Exp(Cosine(row, t[6..]) / 0.07));
            ((double)actual[i]).Should().BeApproximately(abnormal / (normal + abnormal), 1e-5, $"embedding {i}");
        }
    }

    [Fact]
    public void MultiScale_ImageAndTwoGrids_IsTheHarmonicMeanOfThree()
    {
        var actual = WinClipMaps.MultiScale(torch.tensor(new[] { 0.2f, 0.9f }),
            [torch.tensor(new[,] { { 0.5f, 0f }, { 0.3f, 0.4f } }), torch.tensor(new[,] { { 0.7f, 0.6f }, { 0.1f, 1f } })]);

        float Mean(params float[] values) => (float)(values.Length / values.Sum(value => 1.0 / value));
        actual.ShouldBeClose(torch.tensor(new[,] { { Mean(0.2f, 0.5f, 0.7f), 0 }, { Mean(0.9f, 0.3f, 0.1f), Mean(0.9f, 0.4f, 1f) } }),
            1e-6, "two images");
    }

    [Fact]
    public void Association_DistancesOfFourGrids_AreHalvedAggregatedAndAveraged()
    {
        const int Side = 4;
        WindowGrid[] grids = [new(Side, 2), new(Side, 3)];
        var distances = new[] { Side * Side, 9, 4 }.Select(count => torch.rand([2, count], generator: random)).ToArray();
        distances[0][0, 3] = -0.01f;

        var actual = WinClipMaps.Association(distances, grids);

        var patch = distances[0].clamp_min(0).mul(0.5f);
        actual.Maps[0].ShouldBeClose(patch, 1e-7, "patches");
        actual.WindowScores[1].ShouldBeClose(distances[2].mul(0.5f), 1e-7, "windows of 3");
        var mean = patch.add(grids[0].HarmonicMean(distances[1].mul(0.5f))).add(grids[1].HarmonicMean(distances[2].mul(0.5f))).div(3);
        actual.Mean.ShouldBeClose(mean, 1e-6, "mean");
    }

    [Fact]
    public void Sentences_ForAProduct_NameItInEveryStateAndTemplate()
    {
        var sentences = WinClipSentences.All.For("metal_nut");
        sentences.Normal.Should().HaveCount(147);
        sentences.Abnormal.Should().HaveCount(84);
        sentences.Normal[0].Should().Be("a cropped photo of the metal nut.");
        sentences.Normal[21].Should().Be("a cropped photo of the flawless metal nut.");
        sentences.Abnormal[^1].Should().Be("a photo of a metal nut with damage for anomaly detection.");
        sentences.Normal.Distinct().Should().HaveCount(140, "one template is there twice");
    }

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private static double Cosine(double[] a, double[] b)
        => a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));
}
