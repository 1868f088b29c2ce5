using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Common;

public class NearMatchesTests
{
    [Theory]
    [InlineData(1, 1, 1, 28, 28, false, false)]
    [InlineData(2, 3, 2, 9, 14, false, false)]
    [InlineData(3, 2, 4, 5, 3, true, false)]
    [InlineData(4, 1, 2, 43, 42, true, false)]
    [InlineData(2, 3, 2, 9, 14, false, true)]
    [InlineData(4, 1, 2, 43, 42, true, true)]
    public void Distances_RandomTokens_EqualPlainLoops(
        int seed, int batch, int supports, int rows, int columns, bool someCells, bool byLibtorch)
    {
        using var scope = NewDisposeScope();
        ProductTiles.IsLeftOut = byLibtorch;
        using var generator = new Generator((ulong)seed);
        var random = new Random(seed);
        int[] widths = [6, 3];
        var (length, reach) = (rows * columns, Math.Max(1, (int)Math.Round(Math.Max(rows, columns) / 14.0)));
        // Each support's cells, then patches without a place; some cells are not inspected.
        long[] counted = [.. Enumerable.Range(0, length).Where(_ => !someCells || random.Next(3) > 0).Select(cell => (long)cell)];
        long[] cells = [.. Enumerable.Range(0, supports).SelectMany(_ => counted.Concat([-1, -1]))];
        Tensor[] known = [.. widths.Select(width => randn([1, cells.Length, width], generator: generator))];
        Tensor[] tokens = [.. widths.Select(width => randn([batch, length, width], generator: generator))];
        using var bank = MemoryBank.Build([known]);
        // Layers of the same places.
        var grid = new PatchGrid(rows, columns, 0, 1, 0, 1);
        using var near = NearMatches.Build(bank.Layers, [cells, cells], [grid, grid]);
        var distances = near.Distances(tokens, someCells ? [counted, counted] : null);
        for (var layer = 0; layer < widths.Length; layer++)
        {
            var patches = known[layer].data<float>().ToArray().Chunk(widths[layer]).ToArray();
            var images = tokens[layer].data<float>().ToArray().Chunk(widths[layer]).Chunk(length).ToArray();
            var expected = new double[batch, length];
            foreach (var cell in counted)
            {
                for (var image = 0; image < batch; image++)
                {
                    expected[image, cell] = 1 - Enumerable.Range(0, cells.Length)
                        .Where(row => cells[row] >= 0 && Math.Abs((cells[row] / columns) - (cell / columns)) <= reach
                            && Math.Abs((cells[row] % columns) - (cell % columns)) <= reach)
                        .Max(row => Cosine(patches[row], images[image][cell]));
                }
            }

            distances[layer].ShouldBeClose(tensor(expected), 1e-5, "1 − the largest similarity nearby");
        }

        ProductTiles.IsLeftOut = false;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Distances_NothingNearby_IsOne(bool byLibtorch)
    {
        using var scope = NewDisposeScope();
        ProductTiles.IsLeftOut = byLibtorch;
        using var bank = MemoryBank.Build([[ones(1, 1, 4)]]);
        using var near = NearMatches.Build(bank.Layers, [[0]], [PatchGrid.Tiling(14, 224)]);
        var distances = near.Distances([ones(1, 196, 4)])[0].data<float>().ToArray();
        distances.Index().Where(cell => cell.Item < 0.5f).Select(cell => cell.Index).Should().Equal(0, 1, 14, 15);
        distances[15].Should().Be(distances[0]);
        distances[^1].Should().Be(1, "no row of cells near it has a patch");
        distances[13].Should().Be(2, "its row has, but too far away");
        ProductTiles.IsLeftOut = false;
    }

    [Theory]
    [InlineData(16, 0)]
    [InlineData(-2, 0)]
    [InlineData(-1, -1)]
    public void Build_CellsThatCannotBe_AreRefused(long first, long second)
    {
        using var scope = NewDisposeScope();
        using var bank = MemoryBank.Build([[ones(1, 2, 4)]]);
        FluentActions.Invoking(() => NearMatches.Build(bank.Layers, [[first, second]], [PatchGrid.Tiling(4, 56)]))
            .Should().Throw<ArgumentException>().WithMessage("cells: expected 2 numbers below 16*");
    }

    private static double Cosine(float[] a, float[] b)
        => a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(y => (double)y * y));
}
