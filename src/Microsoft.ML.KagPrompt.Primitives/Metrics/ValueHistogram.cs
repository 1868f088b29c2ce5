using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Metrics;

/// <summary>
/// Distinct float values with what belongs to each, in bounded memory: exact while there are few enough;
/// from then on values that differ only in their last bits are counted as one, and ever more bits are dropped.
/// </summary>
internal sealed class ValueHistogram(int mostValues)
{
    private const uint SignBit = 1u << 31;

    private Bin[] bins = [];
    private int dropped;

    /// <summary>A value's key, what counts beside it.</summary>
    public record struct Bin(uint Key, double Normal, double Anomalous, double Overlap);

    /// <summary>Relative distance of values that are told apart; 0: all are.</summary>
    public double Resolution => dropped == 0 ? 0 : Math.Pow(2, dropped - 23);

    /// <summary>Adds values in any order; keys as <see cref="KeyOf"/> gives them.</summary>
    public void Add(List<Bin> added)
    {
        if (dropped > 0)
        {
            for (var i = 0; i < added.Count; i++)
            {
                added[i] = added[i] with { Key = added[i].Key >> dropped };
            }
        }

        added.Sort((a, b) => a.Key.CompareTo(b.Key));
        bins = Merged(bins, added);
        while (bins.Length > mostValues)
        {
            dropped++;
            for (var i = 0; i < bins.Length; i++)
            {
                bins[i].Key >>= 1;
            }

            bins = Merged(bins, []);
        }
    }

    /// <summary>Everything so far, from the highest value down.</summary>
    public ScoreCurve Curve(double regions)
    {
        var down = bins.Reverse().ToArray();
        return new(
            [.. down.Select(bin => ValueOf(bin.Key << dropped))],
            [.. down.Select(bin => bin.Normal)],
            [.. down.Select(bin => bin.Anomalous)],
            [.. down.Select(bin => bin.Overlap)],
            regions);
    }

    /// <summary>An integer that sorts as the value does.</summary>
    public static uint KeyOf(float value)
    {
        // Both zeros are one value.
        var bits = BitConverter.SingleToUInt32Bits(value == 0 ? 0f : value);
        return (bits & SignBit) != 0 ? ~bits : bits | SignBit;
    }

    public static float ValueOf(uint key) => BitConverter.UInt32BitsToSingle((key & SignBit) != 0 ? key & ~SignBit : ~key);

    /// <summary>Two sorted lists as one, equal keys summed.</summary>
    private static Bin[] Merged(Bin[] one, List<Bin> other)
    {
        var result = new List<Bin>(one.Length + other.Count);
        for (int i = 0, j = 0; i < one.Length || j < other.Count;)
        {
            var next = j == other.Count || (i < one.Length && one[i].Key <= other[j].Key) ? one[i++] : other[j++];
            if (result.Count > 0 && result[^1].Key == next.Key)
            {
                var last = result[^1];
                result[^1] = new(last.Key, last.Normal + next.Normal, last.Anomalous + next.Anomalous, last.Overlap + next.Overlap);
            }
            else
            {
                result.Add(next);
            }
        }

        return [.. result];
    }
}
