using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>Months of a line in small: images through Transform, a PredictionEngine, and a pool of engines on eight threads.</summary>
internal static class Scoring
{
    private const int Threads = 8, Laps = 20;

    /// <remarks>
    /// With one heap of the C library unless the environment says otherwise: with one for each thread, holes between blocks grow for tens of
    /// thousands of images though nothing leaks, and would hide what does (docs/explanation/reliability.md).
    /// </remarks>
    public static void Run(Totals totals, long count)
    {
        var (growth, held, died) = (double.NaN, double.NaN, false);
        using var child = ChildProcess.Start(["score", count.ToString(CultureInfo.InvariantCulture)], line =>
        {
            totals.Say(line);
            if (line.StartsWith("growth ", StringComparison.Ordinal))
            {
                growth = double.Parse(line["growth ".Length..], CultureInfo.InvariantCulture);
            }

            if (line.StartsWith("held ", StringComparison.Ordinal))
            {
                held = double.Parse(line["held ".Length..], CultureInfo.InvariantCulture);
            }
        }, ("MALLOC_ARENA_MAX", "1"));
        child.WaitForExit();
        died = child.ExitCode != 0;
        totals.Add(images: died ? 0 : count, processDeaths: died ? 1 : 0);
        totals.AddGrowth("rss", growth);
        totals.AddGrowth("held", held);
    }

    public static int Child(long count)
    {
        var lap = (int)Math.Max(count / Laps, 3);
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

        void Transform(int each)
        {
            var many = ml.Data.LoadFromEnumerable(Enumerable.Range(0, each).Select(i => new Row { ImagePath = files[i % files.Length] }));
            Require(ml.Data.CreateEnumerable<Verdict>(model.Transform(many), reuseRowObject: true).Count(row => float.IsFinite(row.Score)), each);
        }

        void Engine(int each)
            => Require(Enumerable.Range(0, each).Count(i => float.IsFinite(engine.Predict(new Row { ImagePath = files[i % files.Length] }).Score)), each);

        void Pool(int each)
        {
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

        long done = 0;
        HeldMemory Lap(int images)
        {
            // What fewer than three leave over goes to the last.
            var each = images / 3;
            Transform(each);
            Engine(each);
            Pool(images - (2 * each));
            done += images;
            var held = HeldMemory.Now();
            Console.WriteLine(FormattableString.Invariant($"{done} images: {held}"));
            return held;
        }

        var settling = Curve.UntilFlat(() => Lap(lap), (int)(count / lap));
        var resident = Memory.Resident();
        Console.WriteLine(FormattableString.Invariant($"warm after {done} images, {(settling.IsFlat ? "flat" : "not flat")}; resident {resident >> 20} MB"));
        var laps = Enumerable.Range(0, (int)(count / lap)).Select(_ => Lap(lap)).ToArray();
        Console.WriteLine(FormattableString.Invariant($"growth {Curve.Growth(settling.Laps, laps, held => held.Own, resident):R}"));
        Console.WriteLine(FormattableString.Invariant($"held {Curve.Growth(settling.Laps, laps, held => held.Managed + held.Used, resident):R}"));
        Directory.Delete(folder, recursive: true);
        return laps[^1].IsMoreThan(settling.Laps[^1], Threads) ? 1 : 0;
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

    internal static int Handles() => Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : 0;

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
