using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Common;

public class MemoryBankTests
{
    [Theory]
    [InlineData(1, 3, 9, 40, false, false)]
    [InlineData(2, 1, 4, 1, false, false)]
    [InlineData(3, 2, 16, 5000, false, false)]
    [InlineData(1, 3, 9, 40, true, false)]
    [InlineData(3, 2, 16, 5000, true, false)]
    [InlineData(1, 3, 9, 40, false, true)]
    [InlineData(4, 2, 400, 5000, true, true)]
    public void Compare_RandomTokens_EqualsPlainLoops(int seed, int batch, int length, int patches, bool byLibtorch, bool isWeighted)
    {
        using var scope = NewDisposeScope();
        ProductTiles.IsLeftOut = byLibtorch;
        using var generator = new Generator((ulong)seed);
        int[] widths = [5, 3];
        Tensor[] support = [.. widths.Select(width => randn([1, patches, width], generator: generator))];
        Tensor[] tokens = [.. widths.Select(width => randn([batch, length, width], generator: generator))];
        var random = new Random(seed);
        int[][]? standFor = isWeighted ? [.. widths.Select(_ => Enumerable.Range(0, patches).Select(_ => random.Next(1, 9)).ToArray())] : null;
        using var bank = MemoryBank.Build([support], standFor);
        var (expected, nearest) = (new double[batch], new double[widths.Length, batch, length]);
        for (var layer = 0; layer < widths.Length; layer++)
        {
            var rows = support[layer].data<float>().ToArray().Chunk(widths[layer]).ToArray();
            var images = tokens[layer].data<float>().ToArray().Chunk(widths[layer]).Chunk(length).ToArray();
            for (var image = 0; image < batch; image++)
            {
                var weights = standFor?[layer] ?? [.. rows.Select(_ => 1)];
                expected[image] += rows.Zip(weights, (row, weight) => weight * (1 - images[image].Max(token => Cosine(row, token)))).Sum()
                    / weights.Sum() / widths.Length;
                for (var i = 0; i < length; i++)
                {
                    nearest[layer, image, i] = 1 - rows.Max(row => Cosine(row, images[image][i]));
                }
            }
        }

        var (distances, unlikeness) = bank.Compare(tokens);
        unlikeness.ShouldBeClose(tensor(expected), 1e-5, "unlikeness");
        stack([.. distances]).ShouldBeClose(tensor(nearest), 1e-5, "distances");
        stack([.. distances]).ShouldBeClose(stack([.. bank.Distances(tokens)]), 0, "the same distances");
        ProductTiles.IsLeftOut = false;
    }

    [Fact]
    public void Compare_ImageThatHoldsEverySupportPatch_LacksNothing()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        Tensor[] support = [randn([1, 6, 8], generator: generator)];
        using var bank = MemoryBank.Build([support]);
        Tensor[] more = [cat([randn([1, 5, 8], generator: generator), support[0].flip(1)], 1)];
        Tensor[] part = [support[0].narrow(1, 0, 2)];
        bank.Compare(more).Unlikeness.ShouldBeClose(zeros(1), 1e-5, "whatever else is there, and wherever it lies");
        bank.Compare(part).Unlikeness.Value().Should().BeGreaterThan(0.05f);
        bank.Distances(part)[0].ShouldBeClose(zeros(1, 2), 1e-5, "what is there is normal: the distances do not see what is missing");
    }

    private static double Cosine(float[] a, float[] b)
        => a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(y => (double)y * y));
}
