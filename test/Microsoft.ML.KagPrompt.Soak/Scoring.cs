using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>Months of a line in small: images through Transform, a PredictionEngine, and a pool of engines on eight threads.</summary>
internal static class Scoring
{
    private const int Threads = 8;

    public static void Run(Totals totals, long count)
    {
        var (growth, died) = (double.NaN, false);
        using var child = ChildProcess.Start(["score", count.ToString(CultureInfo.InvariantCulture)], line =>
        {
            totals.Say(line);
            if (line.StartsWith("growth ", StringComparison.Ordinal))
            {
                growth = double.Parse(line["growth ".Length..], CultureInfo.InvariantCulture);
            }
        });
        child.WaitForExit();
        died = child.ExitCode != 0;
        totals.Add(images: died ? 0 : count, processDeaths: died ? 1 : 0);
        totals.AddGrowth(growth);
    }

    public static int Child(long count)
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-soak-").FullName;
        var files = Parts.Write(folder, 12);
        var ml = new MLContext(seed: 1);
        var rows = ml.Data.LoadFromEnumerable(files.Take(4).Select(path => new Row { ImagePath = path }).ToArray());
        using var model = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag(new KagPromptOptions
        {
            Images = new() { Size = 112 },
            Device = "cpu",
        })).Fit(rows);
        PredictionEngine<Row, Verdict> NewEngine() => ml.Model.CreatePredictionEngine<Row, Verdict>(model, new PredictionEngineOptions { OwnsTransformer = false });
        using var engine = NewEngine();
        var pool = new ConcurrentBag<PredictionEngine<Row, Verdict>>(Enumerable.Range(0, Threads).Select(_ => NewEngine()));

        void All(int each)
        {
            var many = ml.Data.LoadFromEnumerable(Enumerable.Range(0, each).Select(i => new Row { ImagePath = files[i % files.Length] }));
            Require(ml.Data.CreateEnumerable<Verdict>(model.Transform(many), reuseRowObject: true).Count(row => float.IsFinite(row.Score)), each);
            Require(Enumerable.Range(0, each).Count(i => float.IsFinite(engine.Predict(new Row { ImagePath = files[i % files.Length] }).Score)), each);
            var seen = 0;
            Parallel.For(0, each, new ParallelOptions { MaxDegreeOfParallelism = Threads }, i =>
            {
                PredictionEngine<Row, Verdict>? mine;
                while (!pool.TryTake(out mine))
                {
                    Thread.Yield();
                }

                if (float.IsFinite(mine.Predict(new Row { ImagePath = files[i % files.Length] }).Score))
                {
                    Interlocked.Increment(ref seen);
                }

                pool.Add(mine);
            });
            Require(seen, each);
        }

        // A tenth, or what it takes: caches fill, pools find their size, the runtime compiles once more what is often run.
        var warm = (int)Math.Max(count / 30, Math.Min(300, count / 6));
        var rest = ((int)count / 3) - warm;
        All(warm);
        var (before, handles) = (Settled(), Handles());
        var resident = Memory.Resident();
        All(rest);
        var (after, later) = (Settled(), Handles());
        Console.WriteLine(FormattableString.Invariant($"resident {resident >> 20} MB; of it no file's {before >> 20} MB, then {after >> 20} MB; handles {handles}, then {later}"));
        Console.WriteLine(FormattableString.Invariant($"growth {(double)(after - before) / resident:R}"));
        Directory.Delete(folder, recursive: true);
        return later > handles + Threads ? 1 : 0;
    }

    private static void Require(int seen, int expected)
    {
        if (seen != expected)
        {
            throw new InvalidOperationException($"expected {expected} verdicts, got {seen}.");
        }
    }

    /// <summary>Memory that no file backs, when what is not needed was given back.</summary>
    internal static long Settled()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        if (OperatingSystem.IsLinux())
        {
            // The native heap keeps freed pages for later, as the managed one does.
            malloc_trim(0);
        }

        return Memory.Own();
    }

    private static int Handles() => Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : 0;

    [DllImport("libc")]
    private static extern int malloc_trim(nint keep);

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class Verdict
    {
        public float Score { get; set; }

        public float[] AnomalyMap { get; set; } = [];
    }
}
