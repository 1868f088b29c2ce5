using System.Runtime.InteropServices;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Pixel metrics of anomaly maps that come one by one, in memory that does not grow with their number.</summary>
/// <remarks>
/// Exact up to a million distinct map values; beyond, <see cref="PixelMetrics.Resolution"/> says how near values are
/// counted as one. Not thread-safe.
/// </remarks>
public sealed class MapStatistics
{
    private const int MostValues = 1 << 20;
    private const int Buffered = 1 << 20;
    private const int Replicates = 200;
    private const int CoarseBits = 16;

    private readonly Random random;
    private readonly ValueHistogram values;
    private readonly List<ValueHistogram.Bin> waiting = [];
    private readonly SortedDictionary<uint, ReplicatedBin> coarse = [];
    private readonly double[] replicatedRegions = new double[Replicates + 1];
    private int images;
    private int emptyMasks;
    private int missingMasks;
    private long regions;

    /// <summary>Begins without maps.</summary>
    /// <param name="seed">Of the bootstrap.</param>
    public MapStatistics(int seed = 0) : this(seed, MostValues) { }

    internal MapStatistics(int seed, int mostValues) => (random, values) = (new(seed), new(mostValues));

    /// <summary>Adds an image's map.</summary>
    /// <param name="map">width · height values, row by row; higher is more anomalous; NaN (not inspected) is left out.</param>
    /// <param name="mask">True where defective; empty: nowhere.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="isAnomalous">Whether the image is known to be anomalous: one without a mask, or with an empty one, is then named in a
    /// warning. Without a mask it is left out.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public void Add(ReadOnlySpan<float> map, ReadOnlySpan<bool> mask, int width, int height, bool isAnomalous = false)
    {
        if (width < 1 || height < 1 || map.Length != (long)width * height || (mask.Length != 0 && mask.Length != map.Length))
        {
            throw new ArgumentException(
                $"map, mask: expected {width} x {height} values each, got {map.Length} and {mask.Length}.", nameof(mask));
        }

        if (isAnomalous && mask.Length == 0)
        {
            missingMasks++;
            return;
        }

        images++;
        List<int> sizes = [];
        var region = mask.Length == 0 ? [] : ConnectedRegions.Label(mask, width, height, out sizes);
        emptyMasks += isAnomalous && sizes.Count == 0 ? 1 : 0;
        regions += sizes.Count;
        var own = new Dictionary<uint, ValueHistogram.Bin>();
        for (var p = 0; p < map.Length; p++)
        {
            if (!float.IsNaN(map[p]))
            {
                var key = ValueHistogram.KeyOf(map[p]);
                var isDefect = region.Length > 0 && region[p] >= 0;
                var overlap = isDefect ? 1.0 / sizes[region[p]] : 0;
                waiting.Add(new(key, isDefect ? 0 : 1, isDefect ? 1 : 0, overlap));
                ref var bin = ref CollectionsMarshal.GetValueRefOrAddDefault(own, key >> CoarseBits, out _);
                bin = new(key >> CoarseBits, bin.Normal + (isDefect ? 0 : 1), bin.Anomalous + (isDefect ? 1 : 0), bin.Overlap + overlap);
            }
        }

        Replicate(own, sizes.Count);
        if (waiting.Count >= Buffered)
        {
            Flush();
        }
    }

    /// <summary>The metrics of all maps so far.</summary>
    public PixelMetrics Compute()
    {
        Flush();
        var exact = values.Curve(regions);
        var replicates = Enumerable.Range(0, Replicates + 1).AsParallel().AsOrdered().Select(Replicated).ToArray();
        Estimate With(Func<ScoreCurve, double> metric)
            => Bootstrap.Interval(metric(exact), metric(replicates[Replicates]), replicates[..Replicates].Select(metric));
        return new()
        {
            Images = images,
            Regions = regions,
            Auroc = With(curve => curve.Auroc()),
            AveragePrecision = With(curve => curve.AveragePrecision()),
            F1Max = With(curve => curve.F1Max().F1),
            F1Threshold = exact.F1Max().Threshold,
            Aupro30 = With(curve => curve.Aupro(0.3)),
            Aupro05 = With(curve => curve.Aupro(0.05)),
            AuproStepped = exact.AuproStepped(),
            Resolution = values.Resolution,
            Warnings = [.. Warn()],
        };
    }

    private IEnumerable<string> Warn()
    {
        if (missingMasks > 0)
        {
            yield return $"{missingMasks} anomalous images have no mask and are left out of the pixel metrics.";
        }

        if (emptyMasks > 0)
        {
            yield return $"{emptyMasks} anomalous images have an empty mask: all their pixels count as normal.";
        }

        if (images == 0 || regions == 0)
        {
            yield return images == 0
                ? "There are no maps with masks: no pixel metric can be told."
                : $"None of {images} masks shows a defect: no pixel metric can be told.";
        }
    }

    private void Flush()
    {
        values.Add(waiting);
        waiting.Clear();
    }

    /// <summary>Adds an image to every replicate as often as it was drawn there; the last replicate has each once.</summary>
    private void Replicate(Dictionary<uint, ValueHistogram.Bin> own, int regionsThere)
    {
        int[] weights = [.. Bootstrap.Weights(random, Replicates), 1];
        foreach (var (key, bin) in own)
        {
            if (!coarse.TryGetValue(key, out var sums))
            {
                coarse.Add(key, sums = new(new double[weights.Length], new double[weights.Length], new double[weights.Length]));
            }

            for (var i = 0; i < weights.Length; i++)
            {
                sums.Normal[i] += weights[i] * bin.Normal;
                sums.Anomalous[i] += weights[i] * bin.Anomalous;
                sums.Overlap[i] += weights[i] * bin.Overlap;
            }
        }

        for (var i = 0; i < weights.Length; i++)
        {
            replicatedRegions[i] += weights[i] * regionsThere;
        }
    }

    private ScoreCurve Replicated(int i)
    {
        var down = coarse.Reverse().ToArray();
        return new(
            [.. down.Select(bin => ValueHistogram.ValueOf(bin.Key << CoarseBits))],
            [.. down.Select(bin => bin.Value.Normal[i])],
            [.. down.Select(bin => bin.Value.Anomalous[i])],
            [.. down.Select(bin => bin.Value.Overlap[i])],
            replicatedRegions[i]);
    }

    private sealed record ReplicatedBin(double[] Normal, double[] Anomalous, double[] Overlap);
}
