using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Metrics;

public class MapStatisticsTests
{
    private const int Side = 24;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 7)]
    [InlineData(3, 40)]
    public void Compute_MapByMap_EqualsAllAtOnce(int seed, int count)
    {
        var (maps, masks) = Random(seed, count);
        var statistics = Filled(maps, masks, 1 << 20);
        var (map, mask) = (maps.SelectMany(values => values).ToArray(), masks.SelectMany(values => values).ToArray());
        var metrics = statistics.Compute();
        metrics.Auroc.Value.Should().BeApproximately(RocMetrics.Auroc(map, mask), 1e-12);
        metrics.AveragePrecision.Value.Should().BeApproximately(RocMetrics.AveragePrecision(map, mask), 1e-12);
        metrics.F1Max.Value.Should().BeApproximately(RocMetrics.F1Max(map, mask).F1, 1e-12);
        metrics.F1Threshold.Should().Be(RocMetrics.F1Max(map, mask).Threshold);
        metrics.Aupro30.Value.Should().BeApproximately(RegionOverlap.Aupro(map, mask, Side, Side, 0.3), 1e-12);
        metrics.Aupro05.Value.Should().BeApproximately(RegionOverlap.Aupro(map, mask, Side, Side, 0.05), 1e-12);
        metrics.AuproStepped.Should().BeApproximately(RegionOverlap.AuproStepped(map, mask, Side, Side), 1e-12);
        metrics.Resolution.Should().Be(0);
        metrics.Images.Should().Be(count);
        statistics.Compute().Should().BeEquivalentTo(metrics, "asking twice changes nothing");
    }

    [Fact]
    public void Compute_MoreValuesThanAreKept_StaysNear()
    {
        var (maps, masks) = Random(5, 60);
        var exact = Filled(maps, masks, 1 << 20).Compute();
        var near = Filled(maps, masks, 500).Compute();
        near.Resolution.Should().BeInRange(1e-4, 0.05);
        near.Auroc.Value.Should().BeApproximately(exact.Auroc.Value, 1e-3);
        near.Aupro30.Value.Should().BeApproximately(exact.Aupro30.Value, 2e-3);
        near.F1Threshold.Should().BeApproximately(exact.F1Threshold, 0.1f);
    }

    [Fact]
    public void Compute_Intervals_HoldTheValueAndNarrowWithImages()
    {
        double Width(int count)
        {
            var (maps, masks) = Random(7, count);
            var estimate = Filled(maps, masks, 1 << 20).Compute().Auroc;
            estimate.Value.Should().BeInRange(estimate.Low, estimate.High);
            return estimate.High - estimate.Low;
        }

        Width(100).Should().BeLessThan(Width(6)).And.BeGreaterThan(0);
    }

    [Fact]
    public void Compute_NothingToTell_IsNaNWithAWarning()
    {
        var none = new MapStatistics().Compute();
        double.IsNaN(none.Auroc.Value).Should().BeTrue();
        none.Warnings.Should().ContainSingle().Which.Should().Contain("no maps");

        var statistics = new MapStatistics();
        statistics.Add(new float[4], [], 2, 2);
        statistics.Add(new float[4], [], 2, 2, isAnomalous: true);
        statistics.Add(new float[4], new bool[4], 2, 2, isAnomalous: true);
        var empty = statistics.Compute();
        double.IsNaN(empty.Aupro30.Value).Should().BeTrue();
        double.IsNaN(empty.AuproStepped).Should().BeTrue();
        empty.Images.Should().Be(2);
        empty.Warnings.Should().HaveCount(3).And.Contain(warning => warning.Contains("no mask", StringComparison.Ordinal)).And.Contain(warning => warning.Contains("empty mask", StringComparison.Ordinal));
    }

    [Fact]
    public void Add_NaN_IsLeftOut()
    {
        var statistics = new MapStatistics();
        statistics.Add([0.1f, float.NaN, 0.9f, 0.2f, float.NaN, 0.8f], [false, true, true, false, false, true], 3, 2);
        statistics.Compute().Auroc.Value.Should().Be(1);
    }

    [Fact]
    public void Add_WrongLengths_IsRefused()
        => FluentActions.Invoking(() => new MapStatistics().Add(new float[4], new bool[3], 2, 2)).Should().Throw<ArgumentException>().WithMessage("*2 x 2*4 and 3*");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Aupro_RandomMasks_EqualsQuadraticCounting(int seed)
    {
        var (maps, masks) = Random(seed, 3);
        var statistics = Filled(maps, masks, 1 << 20).Compute();
        statistics.Aupro30.Value.Should().BeApproximately(Naive(maps, masks, 0.3), 1e-9);
        statistics.Aupro05.Value.Should().BeApproximately(Naive(maps, masks, 0.05), 1e-9);
    }

    [Theory]
    [InlineData(-1f, -0.5f)]
    [InlineData(-0f, float.Epsilon)]
    [InlineData(-float.Epsilon, 0f)]
    [InlineData(0.3f, 0.30000004f)]
    [InlineData(float.NegativeInfinity, float.MinValue)]
    public void KeyOf_TwoValues_SortsAsTheyDo(float lower, float upper)
    {
        ValueHistogram.KeyOf(lower).Should().BeLessThan(ValueHistogram.KeyOf(upper));
        ValueHistogram.ValueOf(ValueHistogram.KeyOf(upper)).Should().Be(upper);
    }

    /// <summary>For every distinct threshold: the rate of false positives, and each region's share found, counted anew.</summary>
    private static double Naive(float[][] maps, bool[][] masks, double limit)
    {
        var regions = new List<(int Image, List<int> Pixels)>();
        for (var image = 0; image < masks.Length; image++)
        {
            var seen = new bool[Side * Side];
            for (var start = 0; start < Side * Side; start++)
            {
                if (masks[image][start] && !seen[start])
                {
                    var region = new List<int>();
                    Fill(start, region);
                    regions.Add((image, region));

                    void Fill(int pixel, List<int> into)
                    {
                        seen[pixel] = true;
                        into.Add(pixel);
                        foreach (var next in Enumerable.Range(0, Side * Side).Where(p => masks[image][p] && !seen[p] && Math.Abs((p / Side) - (pixel / Side)) <= 1 && Math.Abs((p % Side) - (pixel % Side)) <= 1))
                        {
                            if (!seen[next])
                            {
                                Fill(next, into);
                            }
                        }
                    }
                }
            }
        }

        var normal = maps.Zip(masks).SelectMany(pair => pair.First.Zip(pair.Second)).Where(pixel => !pixel.Second).Select(pixel => pixel.First).ToArray();
        var points = new List<(double Rate, double Overlap)> { (0, 0) };
        foreach (var threshold in maps.SelectMany(map => map).Distinct().OrderDescending())
        {
            points.Add((normal.Count(value => value >= threshold) / (double)normal.Length, regions.Average(region => region.Pixels.Count(pixel => maps[region.Image][pixel] >= threshold) / (double)region.Pixels.Count)));
        }

        var area = 0.0;
        for (var i = 1; i < points.Count && points[i - 1].Rate < limit; i++)
        {
            var ((x0, y0), (x1, y1)) = (points[i - 1], points[i]);
            var x = Math.Min(x1, limit);
            var y = x1 > x0 ? y0 + ((y1 - y0) * (x - x0) / (x1 - x0)) : y1;
            area += (x - x0) * (y0 + y) / 2;
        }

        return area / limit;
    }

    private static MapStatistics Filled(float[][] maps, bool[][] masks, int mostValues)
    {
        var statistics = new MapStatistics(seed: 3, mostValues);
        for (var i = 0; i < maps.Length; i++)
        {
            statistics.Add(maps[i], masks[i], Side, Side);
        }

        return statistics;
    }

    /// <summary>Rounded values, so that there are ties; blobs for masks.</summary>
    private static (float[][] Maps, bool[][] Masks) Random(int seed, int count)
    {
        var random = new Random(seed);
        var masks = Enumerable.Range(0, count).Select(_ =>
        {
            var (x, y, r, x2) = (random.Next(Side), random.Next(Side), random.Next(2, 5), random.Next(Side));
            return Enumerable.Range(0, Side * Side).Select(p => Math.Max(Math.Abs((p % Side) - x), Math.Abs((p / Side) - y)) < r || p % Side == x2).ToArray();
        }).ToArray();
        return ([.. masks.Select(mask => mask.Select(isDefect => (float)Math.Round(random.NextDouble() + (isDefect ? 0.3 : 0), 3)).ToArray())], masks);
    }
}
