using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Metrics;

/// <summary>
/// Every distinct score, from the highest down, with how many normal and anomalous items have it and what those add to the mean region
/// overlap: all that ranking metrics need.
/// </summary>
/// <remarks>Immutable. All metrics are NaN where only one kind of label is present.</remarks>
internal sealed class ScoreCurve
{
    private const int Steps = 200;
    private const double SteppedLimit = 0.3;

    private readonly float[] scores;
    private readonly double[] normal;
    private readonly double[] anomalous;
    private readonly double[] overlap;
    private readonly double normals;
    private readonly double anomalies;
    private readonly double regions;

    /// <param name="scores">Distinct, descending.</param>
    /// <param name="normal">Normal items of each score.</param>
    /// <param name="anomalous">Anomalous items of each score.</param>
    /// <param name="overlap">Sum over the anomalous items of each score of 1 / (their region's size).</param>
    /// <param name="regions">Number of regions.</param>
    public ScoreCurve(float[] scores, double[] normal, double[] anomalous, double[] overlap, double regions)
    {
        (this.scores, this.normal, this.anomalous, this.overlap, this.regions) = (scores, normal, anomalous, overlap, regions);
        (normals, anomalies) = (normal.Sum(), anomalous.Sum());
    }

    /// <summary>The curve of items in any order.</summary>
    /// <param name="values">Scores; sorted on return. NaN (not inspected) is left out.</param>
    /// <param name="shares">Of each anomalous item 1 / (its region's size), or 0 where regions do not count;
    /// NaN: the item is normal. Sorted along.</param>
    /// <param name="regions">Number of regions.</param>
    public static ScoreCurve Build(float[] values, double[] shares, double regions)
    {
        Array.Sort(values, shares);
        var (scores, normal, anomalous, overlap) = (new List<float>(), new List<double>(), new List<double>(), new List<double>());

        // NaN sorts first, so walking down from the top meets it last.
        for (var i = values.Length - 1; i >= 0 && !float.IsNaN(values[i]); i--)
        {
            if (scores.Count == 0 || scores[^1] != values[i])
            {
                scores.Add(values[i]);
                normal.Add(0);
                anomalous.Add(0);
                overlap.Add(0);
            }

            var isNormal = double.IsNaN(shares[i]);
            (isNormal ? normal : anomalous)[^1]++;
            overlap[^1] += isNormal ? 0 : shares[i];
        }

        return new([.. scores], [.. normal], [.. anomalous], [.. overlap], regions);
    }

    private bool IsOneSided => normals == 0 || anomalies == 0;

    /// <summary>Area under the ROC curve, ties counting half.</summary>
    public double Auroc()
    {
        var (area, found) = (0.0, 0.0);
        for (var i = 0; i < scores.Length; i++)
        {
            area += normal[i] * (found + (anomalous[i] / 2));
            found += anomalous[i];
        }

        return IsOneSided ? double.NaN : area / (normals * anomalies);
    }

    /// <summary>Σ (recall gained) · precision.</summary>
    public double AveragePrecision()
    {
        var (sum, found, taken) = (0.0, 0.0, 0.0);
        for (var i = 0; i < scores.Length; i++)
        {
            found += anomalous[i];
            taken += anomalous[i] + normal[i];
            // A weighted draw may leave a score without items.
            sum += taken > 0 ? anomalous[i] * found / taken : 0;
        }

        return IsOneSided ? double.NaN : sum / anomalies;
    }

    /// <summary>Largest F1, and the score at and above which items count as anomalous for it.</summary>
    public (double F1, float Threshold) F1Max()
    {
        if (IsOneSided)
        {
            return (double.NaN, float.NaN);
        }

        var (best, threshold, found, taken) = (-1.0, float.NaN, 0.0, 0.0);
        for (var i = 0; i < scores.Length; i++)
        {
            found += anomalous[i];
            taken += anomalous[i] + normal[i];
            var f1 = 2 * found / (anomalies + taken);
            if (f1 > best)
            {
                (best, threshold) = (f1, scores[i]);
            }
        }

        return (best, threshold);
    }

    /// <summary>Area under the mean region overlap up to a false positive rate, divided by it; exact.</summary>
    public double Aupro(double limit)
    {
        if (IsOneSided || regions == 0)
        {
            return double.NaN;
        }

        var (area, covered, wrong) = (0.0, 0.0, 0.0);
        for (var i = 0; i < scores.Length; i++)
        {
            var (gained, from, to) = (overlap[i] / regions, wrong / normals, (wrong + normal[i]) / normals);
            if (to > limit)
            {
                var cut = covered + (gained * (limit - from) / (to - from));
                return (area + ((limit - from) * (covered + cut) / 2)) / limit;
            }

            area += (to - from) * (covered + (gained / 2));
            (covered, wrong) = (covered + gained, wrong + normal[i]);
        }

        return area / limit;
    }

    /// <summary>The published code's form: see <see cref="RegionOverlap.AuproStepped"/>.</summary>
    public double AuproStepped()
    {
        if (IsOneSided || regions == 0)
        {
            return double.NaN;
        }

        var (low, high) = ((double)scores[^1], (double)scores[0]);
        var points = new List<(double Rate, double Overlap)>();
        var (i, covered, wrong) = (0, 0.0, 0.0);
        for (var step = Steps - 1; step >= 0; step--)
        {
            for (var threshold = low + (step * (high - low) / Steps); i < scores.Length && scores[i] > threshold; i++)
            {
                covered += overlap[i] / regions;
                wrong += normal[i];
            }

            if (wrong / normals < SteppedLimit)
            {
                points.Add((wrong / normals, covered));
            }
        }

        var span = points.Count < 2 ? 0 : points[^1].Rate - points[0].Rate;
        return span == 0 ? double.NaN : points.Zip(points.Skip(1), (a, b) => (b.Rate - a.Rate) / span * (a.Overlap + b.Overlap) / 2).Sum();
    }
}
