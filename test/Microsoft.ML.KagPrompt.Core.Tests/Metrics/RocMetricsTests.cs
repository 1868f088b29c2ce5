using System.Text.Json;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Metrics;

public class RocMetricsTests
{
    private const double Tolerance = 1e-6;

    [SkippableFact]
    [Trait("Category", "Golden")]
    public void Metrics_GoldenScores_AreEqual()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(SharedFiles.Golden("metrics.json")));
        var root = golden.RootElement;
        var labels = root.GetProperty("labels").EnumerateArray().Select(label => label.GetInt32() == 1).ToArray();
        var scores = root.GetProperty("scores").EnumerateArray().Select(score => score.GetSingle()).ToArray();
        RocMetrics.Auroc(scores, labels).Should().BeApproximately(root.GetProperty("auroc").GetDouble(), Tolerance);
        RocMetrics.AveragePrecision(scores, labels).Should().BeApproximately(root.GetProperty("average_precision").GetDouble(), Tolerance);
        RocMetrics.F1Max(scores, labels).F1.Should().BeApproximately(root.GetProperty("f1_max").GetDouble(), Tolerance);
    }

    [SkippableFact]
    [Trait("Category", "Golden")]
    public void PixelMetrics_GoldenMaps_AreEqual()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(SharedFiles.Golden("metrics.json")));
        using var pixels = SafetensorsFile.Open(SharedFiles.Golden("metrics_pixels.safetensors"));
        using var maskTensor = pixels.Read("masks");
        using var mapTensor = pixels.Read("maps");
        var masks = maskTensor.bytes.ToArray().Select(value => value != 0).ToArray();
        var maps = mapTensor.data<float>().ToArray();
        RocMetrics.Auroc(maps, masks).Should().BeApproximately(golden.RootElement.GetProperty("pixel_auroc").GetDouble(), Tolerance);
        RocMetrics.AveragePrecision(maps, masks).Should().BeApproximately(golden.RootElement.GetProperty("pixel_ap").GetDouble(), Tolerance);
        var (height, width) = ((int)maskTensor.shape[1], (int)maskTensor.shape[2]);
        RegionOverlap.Aupro(maps, masks, width, height, 0.3).Should().BeApproximately(golden.RootElement.GetProperty("aupro_exact_fpr30").GetDouble(), Tolerance);
        RegionOverlap.Aupro(maps, masks, width, height, 0.05).Should().BeApproximately(golden.RootElement.GetProperty("aupro_exact_fpr05").GetDouble(), Tolerance);
        RegionOverlap.AuproStepped(maps, masks, width, height).Should().BeApproximately(golden.RootElement.GetProperty("aupro_fpr30_200steps").GetDouble(), Tolerance);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Auroc_RandomScoresWithTies_EqualsPairCounting(int seed)
    {
        var (scores, labels) = Random(seed);
        var (wins, pairs) = (0.0, 0);
        for (var i = 0; i < scores.Length; i++)
        {
            for (var j = 0; j < scores.Length; j++)
            {
                if (labels[i] && !labels[j])
                {
                    wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                    pairs++;
                }
            }
        }

        RocMetrics.Auroc(scores, labels).Should().BeApproximately(wins / pairs, 1e-12);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void AveragePrecisionAndF1_RandomScoresWithTies_EqualCountingAtEveryThreshold(int seed)
    {
        var (scores, labels) = Random(seed);
        var (area, lastRecall, bestF1) = (0.0, 0.0, 0.0);
        foreach (var threshold in scores.Distinct().OrderDescending())
        {
            var taken = scores.Count(score => score >= threshold);
            var found = scores.Zip(labels).Count(item => item.First >= threshold && item.Second);
            var (precision, recall) = ((double)found / taken, (double)found / labels.Count(label => label));
            area += (recall - lastRecall) * precision;
            lastRecall = recall;
            bestF1 = Math.Max(bestF1, precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall));
        }

        RocMetrics.AveragePrecision(scores, labels).Should().BeApproximately(area, 1e-12);
        RocMetrics.F1Max(scores, labels).F1.Should().BeApproximately(bestF1, 1e-12);
    }

    [Fact]
    public void Metrics_OneLabelOnly_AreNaN()
    {
        RocMetrics.Auroc([1f, 2f], [true, true]).Should().Be(double.NaN);
        RocMetrics.AveragePrecision([1f, 2f], [false, false]).Should().Be(double.NaN);
        RocMetrics.F1Max([], []).F1.Should().Be(double.NaN);
        RegionOverlap.Aupro([1f, 2f], [false, false], 2, 1, 0.3).Should().Be(double.NaN);
    }

    [Fact]
    public void Auroc_NaNScores_AreLeftOut()
        => RocMetrics.Auroc([0.1f, float.NaN, 0.9f, float.NaN], [false, true, true, false]).Should().Be(1);

    [Theory]
    [InlineData(6, 0.3)]
    [InlineData(7, 0.1)]
    public void Aupro_RandomMasks_EqualsNaiveSweep(int seed, double limit)
    {
        const int Side = 12;
        var random = new Random(seed);
        var masks = new bool[2 * Side * Side];
        for (var i = 0; i < masks.Length; i++)
        {
            masks[i] = random.NextDouble() < 0.12;
        }

        var maps = masks.Select(mask => (float)Math.Round((random.NextDouble() * 0.8) + (mask ? 0.3 : 0), 2)).ToArray();
        RegionOverlap.Aupro(maps, masks, Side, Side, limit).Should().BeApproximately(NaiveAupro(maps, masks, Side, limit), 1e-9);
    }

    /// <summary>Flood fill, then every threshold counted afresh.</summary>
    private static double NaiveAupro(float[] maps, bool[] masks, int side, double limit)
    {
        var regions = new List<List<int>>();
        var seen = new bool[masks.Length];
        for (var start = 0; start < masks.Length; start++)
        {
            if (!masks[start] || seen[start])
            {
                continue;
            }

            var region = new List<int>();
            var open = new Queue<int>([start]);
            seen[start] = true;
            while (open.TryDequeue(out var p))
            {
                region.Add(p);
                var (image, y, x) = (p / (side * side), p / side % side, p % side);
                for (var v = Math.Max(0, y - 1); v <= Math.Min(side - 1, y + 1); v++)
                {
                    for (var u = Math.Max(0, x - 1); u <= Math.Min(side - 1, x + 1); u++)
                    {
                        var q = (image * side * side) + (v * side) + u;
                        if (masks[q] && !seen[q])
                        {
                            seen[q] = true;
                            open.Enqueue(q);
                        }
                    }
                }
            }

            regions.Add(region);
        }

        var negatives = masks.Count(mask => !mask);
        var curve = new List<(double Fpr, double Overlap)> { (0, 0) };
        foreach (var threshold in maps.Distinct().OrderDescending())
        {
            var fpr = (double)maps.Zip(masks).Count(pixel => pixel.First >= threshold && !pixel.Second) / negatives;
            curve.Add((fpr, regions.Average(region => (double)region.Count(p => maps[p] >= threshold) / region.Count)));
        }

        var area = 0.0;
        for (var i = 1; i < curve.Count; i++)
        {
            var (from, to) = (curve[i - 1], curve[i]);
            if (to.Fpr > limit)
            {
                var cut = from.Overlap + ((to.Overlap - from.Overlap) * (limit - from.Fpr) / (to.Fpr - from.Fpr));
                area += (limit - from.Fpr) * (from.Overlap + cut) / 2;
                break;
            }

            area += (to.Fpr - from.Fpr) * (from.Overlap + to.Overlap) / 2;
        }

        return area / limit;
    }

    private static (float[] Scores, bool[] Labels) Random(int seed)
    {
        var random = new Random(seed);
        var labels = Enumerable.Range(0, 90).Select(_ => random.NextDouble() < 0.35).ToArray();
        return ([.. labels.Select(label => (float)Math.Round(random.NextDouble() + (label ? 0.3 : 0), 1))], labels);
    }
}
