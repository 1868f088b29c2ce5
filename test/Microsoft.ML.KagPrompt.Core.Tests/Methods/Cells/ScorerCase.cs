using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Cells;

/// <summary>Random features of two taps on one grid, through a scorer and as plain numbers.</summary>
internal sealed class ScorerCase : IDisposable
{
    public const int Grid = 5;
    public const int Side = 25;
    private const int Images = 2;
    private static readonly int[] Widths = [3, 4];

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly torch.Tensor[][] supports;
    private readonly torch.Tensor[] query;

    /// <param name="supportImages">How many.</param>
    /// <param name="seed">Of the features.</param>
    public ScorerCase(int supportImages, int seed)
    {
        using var random = new torch.Generator((ulong)seed);
        torch.Tensor[] Taps(long images) => [.. Widths.Select(width => torch.randn([images, Grid * Grid, width], generator: random))];
        supports = [.. Enumerable.Range(0, supportImages).Select(_ => Taps(1))];
        query = Taps(Images);
    }

    /// <summary>A backbone of these sizes.</summary>
    public static MethodStart Start => new(MethodSizesOf.Tiles(Grid, Side, 1, Widths), "random", [], null, 0);

    /// <summary>Joined features of the supports' cells, in order.</summary>
    public double[][][] Supports => [.. supports.Select(taps => Cells(taps, 0))];

    /// <summary>Compares values, map and score of the method with those of plain numbers.</summary>
    /// <param name="method">The scorer.</param>
    /// <param name="sigma">Of its map.</param>
    /// <param name="share">Of its score.</param>
    /// <param name="value">A cell's value, from its feature and number.</param>
    public void ShouldAgree(IInspectionMethod method, double sigma, double share, Func<double[], int, double> value)
    {
        using var reference = method.BuildReference([.. supports.Select(Remember)], null);
        using var features = MethodSizesOf.Features(query);
        using var scored = method.Score(features, reference);
        for (var image = 0; image < Images; image++)
        {
            var values = Cells(query, image).Select(value).ToArray();
            scored.Scores[image].item<float>().Should().BeApproximately((float)NaiveCells.TopMean(values, share), 1e-5f);
            var map = NaiveCells.Blurred(NaiveCells.Enlarged(values, Grid, Side), sigma);
            scored.Maps[image].ShouldBeClose(torch.tensor(map), 1e-5, $"image {image}");
        }

        IReadOnlyList<torch.Tensor> Remember(torch.Tensor[] taps)
        {
            using var views = MethodSizesOf.Features(taps);
            return method.Remember(views);
        }
    }

    public void Dispose() => scope.Dispose();

    private static double[][] Cells(torch.Tensor[] taps, int image) => [.. Enumerable.Range(0, Grid * Grid)
        .Select(cell => NaiveCells.Joined([.. taps.Select(tap
            => Array.ConvertAll(tap[image][cell].data<float>().ToArray(), number => (double)number))]))];
}
