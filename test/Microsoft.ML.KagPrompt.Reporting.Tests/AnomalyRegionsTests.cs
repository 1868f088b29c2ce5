using FluentAssertions;
using Microsoft.ML.KagPrompt.Model;
using Xunit;

namespace Microsoft.ML.KagPrompt.Reporting.Tests;

public sealed class AnomalyRegionsTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 17, 9)]
    [InlineData(3, 9, 17)]
    [InlineData(4, 40, 1)]
    [InlineData(5, 1, 40)]
    [InlineData(6, 32, 24)]
    public void Of_RandomMap_AsNaiveSearchFinds(int seed, int width, int height)
    {
        var random = new Random(seed);
        for (var turn = 0; turn < 10; turn++)
        {
            // A tenth of the pixels is not inspected; few distinct values make equal peaks.
            var map = Enumerable.Range(0, width * height).Select(_ => random.Next(10) == 0 ? float.NaN : random.Next(12) / 10f).ToArray();

            AnomalyRegions.Find(map, width, height, 0.65f, value => value / 2).Should().Equal(Naive(map, width, height, 0.65f));
        }
    }

    [Fact]
    public void Of_Diagonal_IsOneRegion()
        => AnomalyRegions.Find([9, 0, 0, 9], 2, 2, 5).Should().Equal(new AnomalyRegion(0, 0, 2, 2, 2, 9, 0, 0, float.NaN));

    [Fact]
    public void Of_NothingAboveOrNoThreshold_IsEmpty()
    {
        AnomalyRegions.Find([1, 1, 1, float.NaN], 2, 2, 1).Should().BeEmpty("the threshold itself is not above it");
        AnomalyRegions.Find([1, 1, 1, 1], 2, 2, float.NaN).Should().BeEmpty();
    }

    [Fact]
    public void Of_Calibration_UsesTheMapsThresholdAndProbability()
    {
        var calibration = new ThresholdCalibration { Method = "", Threshold = 9, MapThreshold = 2, Scale = 0.5f, SupportImages = 1, NormalScores = [] };

        var region = AnomalyRegions.Find([1, 3, 2, 1], 4, 1, calibration).Should().ContainSingle().Subject;

        (region.Left, region.Width, region.Area, region.Peak).Should().Be((1, 1, 1, 3));
        region.Probability.Should().BeApproximately(1 / (1 + MathF.Exp(-2)), 1e-6f);
    }

    [Fact]
    public void Of_MapOfAnotherSize_SaysBothSizes()
        => FluentActions.Invoking(() => AnomalyRegions.Find(new float[15], 4, 4, 0)).Should().Throw<ArgumentException>().WithMessage("*4 x 4*15*");

    /// <summary>Joins neighbours until nothing changes any more.</summary>
    private static AnomalyRegion[] Naive(float[] map, int width, int height, float threshold)
    {
        var name = map.Select((value, p) => value > threshold ? p : -1).ToArray();
        for (var changed = true; changed;)
        {
            changed = false;
            for (var a = 0; a < map.Length; a++)
            {
                for (var b = 0; b < map.Length; b++)
                {
                    if (name[a] >= 0 && name[b] > name[a] && Math.Abs((a % width) - (b % width)) <= 1 && Math.Abs((a / width) - (b / width)) <= 1)
                    {
                        (name[b], changed) = (name[a], true);
                    }
                }
            }
        }

        return [.. Enumerable.Range(0, map.Length).Where(p => name[p] >= 0).GroupBy(p => name[p]).OrderBy(group => group.Key).Select(group =>
        {
            var peak = group.OrderByDescending(p => map[p]).ThenBy(p => p).First();
            var (left, top) = (group.Min(p => p % width), group.Min(p => p / width));
            return new AnomalyRegion(left, top, group.Max(p => p % width) - left + 1, group.Max(p => p / width) - top + 1, group.Count(), map[peak], peak % width, peak / width, map[peak] / 2);
        }).OrderByDescending(region => region.Peak)];
    }
}
