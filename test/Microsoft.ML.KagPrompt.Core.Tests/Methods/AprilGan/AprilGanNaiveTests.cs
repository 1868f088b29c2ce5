using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.AprilGan;
using Microsoft.ML.KagPrompt.Tests.Methods.Cells;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.NaiveScores;

namespace Microsoft.ML.KagPrompt.Tests.Methods.AprilGan;

/// <summary>Maps and scores at sizes of no golden file, against loops in 64 bit; the layers' grids differ.</summary>
public sealed class AprilGanNaiveTests : IDisposable
{
    private const int Side = 24;
    private const int Joint = 4;
    private const int Images = 2;

    private static readonly int[] Grids = [6, 4, 3];
    private static readonly int[] Widths = [5, 7, 6];

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly torch.Generator random = new(31);

    [Theory]
    [InlineData(MapUpsampling.AlignedCorners, false)]
    [InlineData(MapUpsampling.CellCentres, false)]
    [InlineData(MapUpsampling.CellCentres, true)]
    public void Score_WordsAndSupports_EqualsLoops(MapUpsampling upsampling, bool zeroShot)
    {
        var info = new VisionTowerInfo { PatchSize = 8, TapSteps = [.. Grids.Select(grid => Side / grid)], TapWidths = Widths,
            JointWidth = Joint, ImageSize = Side, Mean = [0, 0, 0], Std = [1, 1, 1] };
        var heads = new LinearHeads(Widths, Joint, seed: 3);
        using var method = new AprilGanMethod(new AprilGanOptions { ZeroShot = zeroShot },
            new MethodSizes(info, info, Side, upsampling, torch.CPU), heads, startsTrained: true);
        // Near each other, or the softmax of a hundred cosines knows only 0 and 1.
        var text = torch.randn([1, Joint], generator: random).add(torch.randn([2, Joint], generator: random).mul(0.02f));
        text = text.div(text.norm(1).unsqueeze(1));
        var (supports, queries) = (Enumerable.Range(0, 2).Select(_ => Taps(1)).ToArray(), Taps(Images));
        var embeddings = torch.randn([Images, Joint], generator: random);
        using var reference = method.BuildReference([.. supports.Select(support => method.Remember(MethodSizesOf.Features(support)))],
            text.clone());

        using var scored = method.Score(new ScoringFeatures(new VisionFeatures(queries, embeddings), null), reference);

        var words = Rows(text);
        scored.ShouldScore([.. Enumerable.Range(0, Images).Select(image =>
        {
            var whole = NaiveCells.Unit(Rows(embeddings)[image]);
            var score = Second(100 * Dot(whole, words[0]), 100 * Dot(whole, words[1]));
            var said = Sum(Grids.Select((_, layer) => Said(layer, image)));
            if (zeroShot)
            {
                return ((double[])[.. said.Select(sum => sum / Grids.Length)], score);
            }

            var seen = Sum(Grids.Select((_, layer) => Seen(layer, image)));
            double[] map = [.. said.Zip(seen, (a, b) => (a + b) / (2 * Grids.Length))];
            return (map, (score + map.Max()) / 2);
        })], 1e-4);

        double[] ToImage(int layer, IEnumerable<double> cells)
            => Enlarged([.. cells], Grids[layer], Grids[layer], Side, upsampling == MapUpsampling.AlignedCorners);

        // Both planes are enlarged before the softmax.
        double[] Said(int layer, int image)
        {
            var (weight, bias) = (Rows(heads.Weights[$"fc.{layer}.weight"]), Rows(heads.Weights[$"fc.{layer}.bias"])[0]);
            double[] Plane(int group) => ToImage(layer, Rows(queries[layer][image]).Select(patch
                => 100 * Dot(words[group], NaiveCells.Unit([.. weight.Select((row, i) => Dot(row, patch) + bias[i])]))));
            return [.. Plane(0).Zip(Plane(1), Second)];
        }

        double[] Seen(int layer, int image)
        {
            var normal = supports.SelectMany(support => Rows(support[layer])).ToArray();
            return ToImage(layer, Rows(queries[layer][image]).Select(patch => Distance(patch, normal)));
        }
    }

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private torch.Tensor[] Taps(int images)
        => [.. Grids.Zip(Widths, (grid, width) => torch.randn([images, grid * grid, width], generator: random))];
}
