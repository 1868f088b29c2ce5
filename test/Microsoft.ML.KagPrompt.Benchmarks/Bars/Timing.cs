using System.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>Medians of several rounds, after one to warm up.</summary>
internal static class Timing
{
    /// <summary>Whether a CUDA device works beside the processor: then a time ends when its queue is empty.</summary>
    public static bool UsesGpu { get; set; }

    public static double Seconds(Action work)
    {
        var watch = Stopwatch.StartNew();
        work();
        if (UsesGpu)
        {
            torch.cuda.synchronize();
        }

        return watch.Elapsed.TotalSeconds;
    }

    public static double Median(Action work, int rounds = 5) => Medians(rounds, work)[0];

    /// <summary>In turns, so that a slow minute of the machine falls on all of them.</summary>
    public static double[] Medians(int rounds, params Action[] works)
    {
        foreach (var work in works)
        {
            work();
        }

        var times = works.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < works.Length; i++)
            {
                times[i].Add(Seconds(works[i]));
            }
        }

        return [.. times.Select(list => list.Order().ElementAt(rounds / 2))];
    }
}
