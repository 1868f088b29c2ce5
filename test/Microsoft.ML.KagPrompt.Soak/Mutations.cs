using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>Mutated inputs, read in processes of their own: a native decoder that breaks ends its process, and that is counted.</summary>
internal static class Mutations
{
    private const long Chunk = 20;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    /// <summary>No reading takes this long unless it never ends.</summary>
    private static readonly TimeSpan Hung = TimeSpan.FromSeconds(20);

    /// <summary>The child: one group's mutations from one number to another.</summary>
    public static int Child(string group, int seed, long first, long end, string tallyPath)
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-soak-");
        try
        {
            var readers = Readers.Groups.Single(one => one.Name == group).Make(folder.FullName).ToArray();
            using var tally = new Tally(tallyPath);
            // Whole inputs first: what a reader holds for good is not the inputs' doing.
            _ = readers.Select(reader => reader.Try(seed + 1, 0)).ToArray();
            for (var number = first; number < end;)
            {
                var last = Math.Min(number + Chunk, end);
                var (before, input) = (Memory.Reset(), 0L);
                for (var at = number; at < last; at++)
                {
                    tally.Current = at;
                    var reader = MutatedReader.At(readers, at);
                    input = Math.Max(input, Timed(reader, seed, at, tally));
                }

                if (Memory.Highest() - before > MutatedReader.MostBytes(input))
                {
                    tally.OverMemory++;
                    Console.WriteLine($"{group} {number} to {last}: {(Memory.Highest() - before) >> 20} MB above what there was");
                }

                number = last;
            }

            tally.Current = end;
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The parent: starts children until all is read.</summary>
    public static void Run(Totals totals, int seed, long count)
    {
        var groups = Readers.Groups.Select(group => (group.Name, Count: count * group.Share / 1000)).ToArray();
        Parallel.ForEach(groups.OrderByDescending(group => group.Count),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Max(2, Environment.ProcessorCount) },
            group => Group(totals, group.Name, seed, group.Count));
    }

    private static void Group(Totals totals, string group, int seed, long count)
    {
        var path = Path.GetTempFileName();
        using (var tally = new Tally(path))
        {
            for (var first = 0L; first < count;)
            {
                using var child = ChildProcess.Start(["mutate", group, .. new[] { (long)seed, first, count }.Select(number => number.ToString(CultureInfo.InvariantCulture)), path],
                    line => totals.Say(line));
                var (seen, since) = (-1L, Stopwatch.StartNew());
                while (!child.WaitForExit(200))
                {
                    if (tally.Current != seen)
                    {
                        (seen, since) = (tally.Current, Stopwatch.StartNew());
                    }
                    else if (since.Elapsed > Hung + (seen == first ? Hung : TimeSpan.Zero))
                    {
                        totals.Add(timeouts: 1);
                        totals.Say($"{group} {tally.Current} does not end");
                        child.Kill();
                    }
                }

                child.WaitForExit();
                if (child.ExitCode != 0 && since.Elapsed <= Hung)
                {
                    totals.Add(processDeaths: 1);
                    totals.Say($"{group} {tally.Current} ended its process: {child.ExitCode}");
                }

                first = child.ExitCode == 0 ? count : tally.Current + 1;
            }

            totals.Add(mutations: count, escaped: tally.Escaped, timeouts: tally.Slow, overMemory: tally.OverMemory);
        }

        File.Delete(path);
    }

    private static long Timed(MutatedReader reader, int seed, long number, Tally tally)
    {
        // Processor time: of a busy machine the clock tells little. What waits for ever is the parent's to end.
        var before = Environment.CpuUsage.TotalTime;
        var fault = reader.Try(seed, number);
        if (fault is not null)
        {
            tally.Escaped++;
            Console.WriteLine(fault.ReplaceLineEndings(" | "));
        }

        var took = Environment.CpuUsage.TotalTime - before;
        if (took > Longest)
        {
            tally.Slow++;
            Console.WriteLine(FormattableString.Invariant($"{reader.Name} {number} took {took.TotalSeconds:0.0} s"));
        }

        return reader.Input(seed, number).Length;
    }
}
