using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

/// <summary>Against the same products in 32 bit, whose bits they have for queries, and in float64.</summary>
public class WholeProductsTests
{
    // Of a query with a row: rounding to whole numbers loses this of either at most, where they are no wider than here.
    private const float OfRows = 1e-4f;

    public static TheoryData<int, int, int, int> Sizes
    {
        get
        {
            var sizes = new TheoryData<int, int, int, int>();
            foreach (var lanes in Widths)
            {
                foreach (var (rows, width) in ((int, int)[])[(1, 1), (13, 7), (14, 16), (15, 64), (57, 33), (241, 65), (1000, 128), (600, 256)])
                {
                    sizes.Add(lanes, 1, rows, width);
                    sizes.Add(lanes, rows == 1000 ? 784 : 33, rows, width);
                }

                foreach (var queries in Enumerable.Range(2, 31))
                {
                    sizes.Add(lanes, queries, 29, 5);
                }
            }

            return sizes;
        }
    }

    public static TheoryData<int, double> Ties
    {
        get
        {
            var ties = new TheoryData<int, double>();
            foreach (var lanes in Widths)
            {
                foreach (var apart in (double[])[1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
                {
                    ties.Add(lanes, apart);
                }
            }

            return ties;
        }
    }

    private static int[] Widths => WholeTiles.AreSupported ? [8, 16] : [];

    [Theory]
    [MemberData(nameof(Sizes), DisableDiscoveryEnumeration = true)]
    public void Find_AnySizes_EqualsTheProducts(int lanes, int queries, int rows, int width)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Units(queries, width, 1), Units(rows, width, 2));
        var products = a.@double().matmul(b.@double().t());
        var (ofQueries, ofRows) = Found(a, b, lanes);
        Numbers(ofQueries).Should().Equal(Numbers(LargestProducts.Find(a, b).OfQueries));
        (ofQueries - products.amax([1])).abs().max().Value().Should().BeLessThan(1e-6f);
        (ofRows - products.amax([0])).abs().max().Value().Should().BeLessThan(OfRows);
    }

    [Theory]
    [MemberData(nameof(Ties), DisableDiscoveryEnumeration = true)]
    public void Find_RowsThatLieCloserThanRounding_TheSameBits(int lanes, double apart)
    {
        using var scope = NewDisposeScope();
        var middle = Units(1, 64, 3);
        var (a, b) = (Unit(middle + (Units(300, 64, 4) * 0.3)), Unit(middle + (Units(900, 64, 5) * apart)));
        Numbers(Found(a, b, lanes).OfQueries).Should().Equal(Numbers(LargestProducts.Find(a, b).OfQueries));
        Numbers(Found(-a, b, lanes).OfQueries).Should().Equal(Numbers(LargestProducts.Find(-a, b).OfQueries));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Find_RoundingThatLosesTheMost_TheSameBits(int lanes)
    {
        if (!WholeTiles.AreSupported)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var (a, b) = (full([1, 256], 1f / 16), zeros(100, 256));
        // The nearest is rounded down everywhere, the other up: by whole numbers it is nearer by nearly all that rounding may take.
        b[7] = (2047.49 / WholeRows.One) * ones(256);
        b[77] = (2047.51 / WholeRows.One) * ones(256);
        b[77].narrow(0, 0, 8).sub_(1.0 / WholeRows.One);
        var found = Found(a, b, lanes).OfQueries.Value();
        found.Should().Be(LargestProducts.Find(a, b).OfQueries.Value());
        found.Should().Be(LargestProducts.Find(a, b.narrow(0, 7, 1)).OfQueries.Value());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(20)]
    [InlineData(100)]
    public void Find_EqualRowsAndQueries_TheSameBits(int alike)
    {
        using var scope = NewDisposeScope();
        foreach (var lanes in Widths)
        {
            var (a, b, one) = (Units(100, 48, 6), Units(700, 48, 7), Units(1, 48, 8));
            a.narrow(0, 0, alike).copy_(one.expand(alike, 48));
            Numbers(Found(a, b, lanes).OfQueries).Should().Equal(Numbers(LargestProducts.Find(a, b).OfQueries));
            b.narrow(0, 100, 599).copy_(one.expand(599, 48));
            Numbers(Found(a, b, lanes).OfQueries).Should().Equal(Numbers(LargestProducts.Find(a, b).OfQueries));
            b.copy_(b[0].clone());
            Numbers(Found(a, b, lanes).OfQueries).Should().Equal(Numbers(LargestProducts.Find(a, b).OfQueries));
        }
    }

    [Fact]
    public void Find_MoreThanIsKeptAtATime_TheSameBits()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Units(3100, 2, 9), Units(20_000, 2, 10));
        foreach (var lanes in Widths)
        {
            var (ofQueries, ofRows) = Found(a, b, lanes);
            var (expected, expectedOfRows) = LargestProducts.Find(a, b);
            Numbers(ofQueries).Should().Equal(Numbers(expected));
            (ofRows - expectedOfRows).abs().max().Value().Should().BeLessThan(OfRows);
        }
    }

    [Fact]
    public void Find_OtherThreadsAndInstructionsAndNeighbours_TheSameBits()
    {
        if (!WholeTiles.AreSupported)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var (a, b) = (Units(100, 64, 11), Units(3000, 64, 12));
        var before = get_num_threads();
        try
        {
            set_num_threads(1);
            var (one, ofRows) = Found(a, b, 16);
            set_num_threads(2);
            var (two, ofRowsOfTwo) = Found(a, b, 8);
            Numbers(two).Should().Equal(Numbers(one));
            Numbers(ofRowsOfTwo).Should().Equal(Numbers(ofRows));
            Found(a.narrow(0, 37, 1), b, 16).OfQueries[0].Value().Should().Be(one[37].Value());
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(1.3f)]
    public void Largest_NumbersThatAreNoneOfUnitLength_EqualsTheProducts(float number)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Units(40, 8, 13), Units(600, 8, 14));
        using var rows = WholeRows.Of(b);
        rows.Should().NotBeNull();
        a[3, 2] = number;
        WholeRows.Of(a).Should().BeNull();
        WholeProducts.Find(a, b, rows!).Should().BeNull();
        var (expected, expectedOfRows) = LargestProducts.Find(a, b);
        using var known = new KnownRows(b);
        var (ofQueries, ofRows) = known.Largest(a);
        Numbers(ofQueries).Should().Equal(Numbers(expected));
        Numbers(ofRows).Should().Equal(Numbers(expectedOfRows));
        float.IsFinite(ofQueries[3].Value()).Should().Be(float.IsFinite(number));
        using var turned = new KnownRows(cat([b, a]));
        Numbers(turned.Largest(b).OfQueries).Should().Equal(Numbers(LargestProducts.Find(b, cat([b, a])).OfQueries));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void Find_NumbersALittleAboveOne_TheSameBits(int column)
    {
        using var scope = NewDisposeScope();
        var ones = eye(16).narrow(0, column, 8);
        var (a, b) = (ones * 1.05f, cat([ones * 1.01f, ones * 1.08f]));
        foreach (var lanes in Widths)
        {
            Numbers(Found(a, b, lanes).OfQueries).Should().Equal(Numbers(LargestProducts.Find(a, b).OfQueries));
            Numbers(Found(-a, -b, lanes).OfQueries).Should().Equal(Numbers(LargestProducts.Find(-a, -b).OfQueries));
        }
    }

    [Fact]
    public void Of_Rows_AreRoundedAndTheLastStandsAgain()
    {
        using var scope = NewDisposeScope();
        var values = Units(5, 21, 15);
        using var rows = WholeRows.Of(values)!;
        for (var row = 0; row < 18; row++)
        {
            for (var column = 0; column < rows.Padded; column++)
            {
                var expected = column < 21 ? Math.Round(values[Math.Min(row, 4), column].Value() * (double)WholeRows.One) : 0;
                Number(rows, row, column).Should().Be((short)expected);
            }
        }
    }

    private static unsafe short Number(WholeRows rows, int row, int column) => rows.Row(row)[column];

    private static (Tensor OfQueries, Tensor OfRows) Found(Tensor queries, Tensor rows, int lanes)
    {
        using var known = WholeRows.Of(rows);
        return WholeProducts.Find(queries, rows, known!, lanes)!.Value;
    }

    private static float[] Numbers(Tensor values) => values.data<float>().ToArray();

    private static Tensor Units(int rows, int columns, ulong seed)
    {
        using var generator = new Generator(seed);
        return Unit(randn([rows, columns], generator: generator));
    }

    private static Tensor Unit(Tensor rows) => rows / rows.norm(1, keepdim: true);
}
