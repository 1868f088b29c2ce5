using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

/// <summary>Against the same products one by one in float64.</summary>
public class LargestProductsTests
{
    public static TheoryData<int, int, int, int> Sizes
    {
        get
        {
            var sizes = new TheoryData<int, int, int, int>();
            foreach (var lanes in Widths)
            {
                foreach (var (queries, rows, width) in ((int, int, int)[])[(1, 1, 1), (31, 5, 3), (32, 12, 64), (33, 13, 7), (100, 241, 65), (784, 1000, 128)])
                {
                    sizes.Add(lanes, queries, rows, width);
                }
            }

            return sizes;
        }
    }

    public static TheoryData<int, int, int, int, int> Grids
    {
        get
        {
            var grids = new TheoryData<int, int, int, int, int>();
            foreach (var lanes in Widths)
            {
                foreach (var (rows, columns, known, reach) in ((int, int, int, int)[])[(1, 1, 1, 1), (3, 5, 20, 1), (28, 28, 2000, 2), (4, 40, 300, 3), (6, 6, 3, 1)])
                {
                    grids.Add(lanes, rows, columns, known, reach);
                }
            }

            return grids;
        }
    }

    // Emulated where the processor has only the narrower.
    private static int[] Widths => [8, 16];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Find_AnySizes_EqualsTheProducts(int lanes, int queries, int rows, int width)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Values(queries, width, 1), Values(rows, width, 2));
        var products = a.@double().matmul(b.@double().t());
        var (ofQueries, ofRows) = LargestProducts.Find(a, b, lanes);
        (ofQueries - products.amax([1])).abs().max().Value().Should().BeLessThan(1e-5f);
        (ofRows - products.amax([0])).abs().max().Value().Should().BeLessThan(1e-5f);
    }

    [Theory]
    [MemberData(nameof(Grids))]
    public void Near_AnyGrid_EqualsTheProductsWithNearRows(int lanes, int rows, int columns, int known, int reach)
    {
        using var scope = NewDisposeScope();
        var (grid, random) = (new PatchGrid(rows, columns, 0, 1, 0, 1), new Random(known));
        long[] cells = [.. Enumerable.Range(0, known).Select(_ => random.NextInt64(rows * columns)).Order()];
        var (a, b) = (Values(rows * columns, 9, 3), Values(known, 9, 4));
        var products = a.@double().matmul(b.@double().t());
        var found = LargestProducts.Near(a, b, cells, grid, reach, lanes).data<float>().ToArray();
        found.Should().HaveCount(rows * columns);
        for (var cell = 0; cell < found.Length; cell++)
        {
            var near = Enumerable.Range(0, known).Where(row => Math.Abs((cells[row] / columns) - (cell / columns)) <= reach
                && Math.Abs((cells[row] % columns) - (cell % columns)) <= reach).Select(row => products[cell, row].item<double>()).ToArray();
            if (near.Length == 0)
            {
                found[cell].Should().Be(float.NegativeInfinity);
            }
            else
            {
                found[cell].Should().BeApproximately((float)near.Max(), 1e-5f);
            }
        }
    }

    [Fact]
    public void Find_OtherThreadsAndInstructionsAndNeighbours_TheSameBits()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Values(100, 64, 5), Values(3000, 64, 6));
        var before = get_num_threads();
        try
        {
            set_num_threads(1);
            var (one, ofRows) = LargestProducts.Find(a, b, 16);
            set_num_threads(2);
            var (two, ofRowsOfTwo) = LargestProducts.Find(a, b, 8);
            two.data<float>().ToArray().Should().Equal(one.data<float>().ToArray());
            ofRowsOfTwo.data<float>().ToArray().Should().Equal(ofRows.data<float>().ToArray());
            LargestProducts.Find(a.narrow(0, 37, 1), b).OfQueries[0].Value().Should().Be(one[37].Value());
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void Find_NaN_IsNotHidden()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Values(40, 8, 7), Values(50, 8, 8));
        a[3, 2] = float.NaN;
        var (ofQueries, ofRows) = LargestProducts.Find(a, b);
        float.IsNaN(ofQueries[3].Value()).Should().BeTrue();
        ofQueries.isnan().sum().item<long>().Should().Be(1);
        ofRows.isnan().all().item<bool>().Should().BeTrue();
        float.IsNaN(LargestProducts.Near(a, b, [.. Enumerable.Range(0, 50).Select(i => (long)(i * 4 / 5))], new(5, 8, 0, 1, 0, 1), 1)[3].Value())
            .Should().BeTrue();
    }

    private static Tensor Values(int rows, int columns, ulong seed)
    {
        using var generator = new Generator(seed);
        return randn([rows, columns], generator: generator) / Math.Sqrt(columns);
    }
}
