using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.AnomalyGpt;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Tests.Methods.Cells;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.NaiveScores;

namespace Microsoft.ML.KagPrompt.Tests.Methods.AnomalyGpt;

/// <summary>Both branches' maps and scores at sizes of no golden file, against loops in 64 bit; the layers' grids differ.</summary>
public sealed class AnomalyGptNaiveTests : IDisposable
{
    private const int Side = 24;
    private const int Joint = 4;
    private const int Images = 2;

    private static readonly int[] Grids = [6, 3];
    private static readonly int[] Widths = [5, 7];

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly torch.Generator random = new(21);

    private static MethodSizes Sizes
    {
        get
        {
            var info = new VisionTowerInfo { PatchSize = 8, TapSteps = [.. Grids.Select(grid => Side / grid)], TapWidths = Widths,
                JointWidth = Joint, ImageSize = Side, Mean = [0, 0, 0], Std = [1, 1, 1] };
            return new MethodSizes(info, info, Side, MapUpsampling.CellCentres, torch.CPU);
        }
    }

    [Fact]
    public void Score_FewShot_EqualsLoops()
    {
        using var method = AnomalyGptStart.Create(new(), new MethodStart(Sizes, "tables", [], null, 0));
        var (supports, queries) = (Enumerable.Range(0, 3).Select(_ => Taps(1)).ToArray(), Taps(Images));
        using var reference = method.BuildReference(
            [.. supports.Select(support => method.Remember(MethodSizesOf.Features(support)))], null);

        using var scored = method.Score(MethodSizesOf.Features(queries), reference);

        scored.ShouldScore([.. Enumerable.Range(0, Images).Select(image =>
        {
            var likeness = Sum(Grids.Select((grid, layer) =>
            {
                var normal = supports.SelectMany(support => Rows(support[layer])).ToArray();
                return Enlarged([.. Rows(queries[layer][image]).Select(patch => 1 - Distance(patch, normal))], grid, grid, Side,
                    corners: true);
            }));
            double[] map = [.. likeness.Select(sum => 1 - (sum / Grids.Length))];
            return (map, map.Max());
        })], 1e-5);
    }

    [Fact]
    public void Score_ZeroShot_EqualsLoops()
    {
        var path = Path.GetTempFileName();
        try
        {
            var heads = Widths.Index().SelectMany(tap => new[]
            {
                ($"image_decoder.fc.{tap.Index}.weight", torch.randn([Joint, tap.Item], generator: random)),
                ($"image_decoder.fc.{tap.Index}.bias", torch.randn([Joint], generator: random)),
            }).ToDictionary(entry => entry.Item1, entry => entry.Item2);
            TinyBackbones.WriteSafetensors(path, heads);
            using var method = AnomalyGptStart.Create(new() { Branch = AnomalyGptBranch.ZeroShot, DecoderPath = path },
                new MethodStart(Sizes, "tables", [], null, 0));
            // Near each other, or the softmax of a hundred cosines knows only 0 and 1.
            var shared = torch.randn([1, Joint], generator: random);
            var text = shared.add(torch.randn([2, Joint], generator: random).mul(0.02f));
            text = text.div(text.norm(1).unsqueeze(1));
            var queries = Taps(Images);
            using var reference = method.BuildReference([[]], text.clone());

            using var scored = method.Score(MethodSizesOf.Features(queries), reference);

            scored.ShouldScore([.. Enumerable.Range(0, Images).Select(image =>
            {
                double[] map = [.. Sum(Grids.Select((grid, layer) => Layer(layer, grid, image))).Select(sum => sum / Grids.Length)];
                return (map, map.Max());
            })], 1e-4);

            // Both planes are enlarged before the softmax.
            double[] Layer(int layer, int grid, int image)
            {
                var (weight, bias) = (Rows(heads[$"image_decoder.fc.{layer}.weight"]), Rows(heads[$"image_decoder.fc.{layer}.bias"])[0]);
                double[] Plane(int group) => Enlarged([.. Rows(queries[layer][image]).Select(patch => 100 * Dot(Rows(text)[group],
                    NaiveCells.Unit([.. weight.Select((row, i) => Dot(row, patch) + bias[i])])))], grid, grid, Side, corners: true);
                return [.. Plane(0).Zip(Plane(1), Second)];
            }
        }
        finally
        {
            File.Delete(path);
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
