using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

public class ScoringTests
{
    [Theory]
    [InlineData(1, 2, 9, 40)]
    [InlineData(2, 1, 16, 1)]
    [InlineData(3, 3, 16, 5000)]
    public void Distances_RandomTokens_EqualPlainLoops(int seed, int batch, int length, int patches)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        int[] widths = [5, 3];
        Tensor[] support = [.. widths.Select(width => randn([1, patches, width], generator: generator))];
        Tensor[] tokens = [.. widths.Select(width => randn([batch, length, width], generator: generator))];
        using var bank = MemoryBank.Build([support]);
        var expected = new double[batch * length];
        for (var layer = 0; layer < widths.Length; layer++)
        {
            var rows = support[layer].data<float>().ToArray().Chunk(widths[layer]).ToArray();
            var queries = tokens[layer].data<float>().ToArray().Chunk(widths[layer]).ToArray();
            for (var q = 0; q < queries.Length; q++)
            {
                expected[q] += (1 - rows.Max(row => Cosine(row, queries[q]))) / widths.Length;
            }
        }

        bank.MeanDistances(tokens).ShouldBeClose(tensor(expected).view(batch, length), 1e-5, "distances");
        bank.MeanDistances([support[0], support[1]]).ShouldBeClose(zeros(1, patches), 1e-5, "every patch of the support lies in the bank");
    }

    [Theory]
    [InlineData(3, 5, 9)]
    [InlineData(4, 4, 4)]
    [InlineData(1, 6, 13)]
    public void ToImage_RandomPatches_EqualsAlignedCornersByHand(int batch, int grid, int side)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var patches = randn([batch, grid * grid], generator: generator);
        var values = patches.data<float>().ToArray();
        var expected = new double[batch * side * side];
        for (var i = 0; i < expected.Length; i++)
        {
            var (map, y, x) = (i / (side * side), i / side % side * (grid - 1.0) / (side - 1), i % side * (grid - 1.0) / (side - 1));
            for (var p = 0; p < grid * grid; p++)
            {
                // Bilinear interpolation is a sum of tents, one on each patch.
                expected[i] += values[(map * grid * grid) + p] * Math.Max(0, 1 - Math.Abs(y - (p / grid))) * Math.Max(0, 1 - Math.Abs(x - (p % grid)));
            }
        }

        PatchGrid.AlignedCorners(grid, side).ToImage(patches, side).ShouldBeClose(tensor(expected).view(batch, side, side), 1e-5, "pixels");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PerLayer_RandomNodes_EqualsSoftmaxByHandAndAveragesAlike(bool textPerImage)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var (layers, batch, grid, width) = (4, 2, 3, 5);
        var nodes = randn([layers, batch, grid * grid, width], generator: generator);
        var text = nn.functional.normalize(randn(textPerImage ? [batch, 2, width] : [2, width], generator: generator), p: 2, dim: -1);
        var (paper, toImage) = (KagVariant.For(GraphVariant.Paper), KagParts.AlignedCorners(grid, grid));
        var maps = PromptMap.PerLayer(nodes, text, paper, toImage);
        for (var i = 0; i < maps.numel(); i++)
        {
            var (layer, image, patch) = (i / (batch * grid * grid), i / (grid * grid) % batch, i % (grid * grid));
            var node = nodes[layer, image, patch].data<float>().ToArray();
            var pair = textPerImage ? text[image] : text;
            var (normal, abnormal) = (Math.Exp(100 * Cosine(node, pair[0].data<float>().ToArray())), Math.Exp(100 * Cosine(node, pair[1].data<float>().ToArray())));
            maps.data<float>()[i].Should().BeApproximately((float)(abnormal / (normal + abnormal)), 1e-4f);
        }

        PromptMap.Average(nodes, text, paper, toImage).ShouldBeClose(maps.mean([0]), 1e-5, "the mean of the layers");
    }

    [Theory]
    [InlineData(30, 224, 30)]
    [InlineData(30, 448, 120)]
    [InlineData(30, 32, 1)]
    [InlineData(50176, 224, 50176)]
    public void TopMean_MapSide_CountsByArea(int k, int side, int count)
    {
        using var scope = NewDisposeScope();
        var values = new float[side * side];
        new Random(3).NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        values = [.. values.Select(value => float.IsFinite(value) ? value % 10 : 0)];
        ImageScore.TopMean(tensor(values, [1, side, side]), k).data<float>()[0].Should().BeApproximately(values.OrderDescending().Take(count).Average(), 1e-3f);
    }

    private static double Cosine(float[] a, float[] b) => Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b));

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
