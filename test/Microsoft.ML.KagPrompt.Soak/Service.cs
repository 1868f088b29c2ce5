using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.KagPrompt.Hosting;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>
/// A hosted model under eight callers: every request is answered or refused, every verdict is the single call's of the version that made
/// it, while the model is swapped again and again, and memory stays.
/// </summary>
internal static class Service
{
    private const int Callers = 8, Batch = 8;
    // Measured ones, and how many more than a window the warm-up may have. Of many swaps even a small leak in each is more than what comes
    // and goes.
    private const int Laps = 10, MostWarmUp = 7, SwapsALap = 4;
    private const float Tolerance = 1e-4f;
    private const string Growth = "_growth";
    private static readonly string[] Figures = 
    [
        "answered", "refused", "wrong", "p99_ms", "images_per_s", "cpu_ms", "batch_images_per_s", "batch_cpu_ms",
    ];

    /// <param name="totals">Where figures go.</param>
    /// <param name="seconds">How long the callers call, unless memory takes longer to settle.</param>
    /// <remarks>
    /// With one heap of the C library unless the environment says otherwise: a model is loaded on one thread and gone on another, so that
    /// with a heap for each, holes between blocks come and go by more than the share that memory may grow, though nothing leaks
    /// (docs/explanation/reliability.md).
    /// </remarks>
    public static void Run(Totals totals, long seconds)
    {
        using var child = ChildProcess.Start(["service", seconds.ToString(CultureInfo.InvariantCulture)], line =>
        {
            totals.Say(line);
            if (line.Split(' ') is [var name, var text] && double.TryParse(text, CultureInfo.InvariantCulture, out var value))
            {
                if (Figures.Contains(name))
                {
                    totals.Set($"service_{name}", value);
                }
                else if (name.EndsWith(Growth, StringComparison.Ordinal))
                {
                    totals.AddGrowth(name[..^Growth.Length], value);
                }
            }
        }, ("MALLOC_ARENA_MAX", "1"));
        child.WaitForExit();
        totals.Add(processDeaths: child.ExitCode == 0 ? 0 : 1);
    }

    public static int Child(long seconds)
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-soak-").FullName;
        var paths = Parts.Write(folder, 12);
        var files = paths.Select(File.ReadAllBytes).ToArray();
        var models = new[] { Fit(folder, "A", paths[..3]), Fit(folder, "B", paths[6..9]) };
        var expected = models.Select(zip => Expected(zip, files)).ToArray();
        // Before and after the callers: the machine may have other work, too.
        var alone = TimeSpan.FromSeconds(Math.Clamp(seconds / 8, 2, 20));
        var first = BatchSpeed(models[0], files, alone);

        var builder = Host.CreateEmptyApplicationBuilder(null);
        // Fewer places than callers: some are refused.
        builder.Services.AddLogging().AddKagPrompt(options => options.QueueCapacity = Callers - 2)
            .AddLoader(new KagPromptModelLoader(Context()));
        using var host = builder.Build();
        host.Start();
        var served = host.Services.GetRequiredService<IModelHost>();
        var inspector = host.Services.GetRequiredService<IInspector>();
        Task Swap(int i) => served.SwapAsync(new("part", models[i % 2]) { Version = $"{"AB"[i % 2]}{i}" });
        Swap(0).GetAwaiter().GetResult();

        var calls = new Calls(inspector, files, expected);
        var swapped = 0;
        // Callers are at rest when memory is looked at.
        HeldMemory Lap()
        {
            calls.Run(TimeSpan.FromSeconds(seconds * 0.75 / Laps), () => Swap(++swapped), SwapsALap);
            var held = HeldMemory.Now();
            Console.WriteLine($"{swapped} swaps: {held}");
            return held;
        }

        var settling = Curve.UntilFlat(Lap, MostWarmUp);
        var resident = Memory.Resident();
        Console.WriteLine($"warm after {swapped} swaps, {(settling.IsFlat ? "flat" : "not flat")}; resident {resident >> 20} MB");
        calls.Forget();
        var laps = Enumerable.Range(0, Laps).Select(_ => Lap()).ToArray();
        host.StopAsync().GetAwaiter().GetResult();
        var last = BatchSpeed(models[0], files, alone);
        Say("batch_images_per_s", (first.ImagesPerSecond + last.ImagesPerSecond) / 2);
        // Of a machine that has other work the processor's time says more than the clock's.
        Say("batch_cpu_ms", (first.Processor + last.Processor).TotalMilliseconds / (first.Images + last.Images));
        Say("cpu_ms", calls.Processor.TotalMilliseconds / calls.Answered);
        Say("answered", calls.Answered);
        Say("refused", calls.Refused);
        Say("wrong", calls.Wrong);
        Say("p99_ms", calls.Percentile(0.99));
        Say("images_per_s", calls.Answered / calls.Time.TotalSeconds);
        Say($"rss{Growth}", Curve.Growth(settling.Laps, laps, held => held.Own, resident));
        Say($"held{Growth}", Curve.Growth(settling.Laps, laps, held => held.Managed + held.Used, resident));
        Directory.Delete(folder, recursive: true);
        return laps[^1].IsMoreThan(settling.Laps[^1], Callers) ? 1 : 0;
    }

    private static void Say(string name, double value) => Console.WriteLine(FormattableString.Invariant($"{name} {Math.Round(value, 4)}"));

    private static MLContext Context() => new(seed: 1) { GpuDeviceId = -1, FallbackToCpu = true };

    private static string Fit(string folder, string name, string[] supports)
    {
        var (ml, zip) = (Context(), Path.Combine(folder, $"{name}.zip"));
        var rows = ml.Data.LoadFromEnumerable(supports.Select(path => new Row { ImagePath = path }).ToArray());
        using var model = ml.Transforms.LoadImages("Image", "", "ImagePath")
            .Append(ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Images = new() { Size = 112 } })).Fit(rows);
        ml.Model.Save(model, rows.Schema, zip);
        return zip;
    }

    private static float[] Expected(string zip, byte[][] files)
    {
        using var model = KagPromptTransformer.FindIn(Context().Model.Load(zip, out _));
        return [.. files.Select(file => model.Inspect(ImageCodec.Read(file, "file")).Score)];
    }

    /// <summary>The model alone, in full batches of pictures that are decoded already.</summary>
    private static (int Images, double ImagesPerSecond, TimeSpan Processor) BatchSpeed(string zip, byte[][] files, TimeSpan time)
    {
        using var model = KagPromptTransformer.FindIn(Context().Model.Load(zip, out _)).Model;
        var squares = Enumerable.Range(0, Batch).Select(i => model.ToModelSize(ImageCodec.Read(files[i % files.Length], "file"))).ToArray();
        var names = new string?[Batch];
        // On the pool, as the service does: native memory is managed otherwise on the first thread of a process.
        void Inspect() => model.InspectAsync(squares, names).GetAwaiter().GetResult();
        Inspect();
        var (clock, processor, images) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime, 0);
        for (; clock.Elapsed < time; images += Batch)
        {
            Inspect();
        }

        return (images, images / clock.Elapsed.TotalSeconds, Environment.CpuUsage.TotalTime - processor);
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }

    /// <summary>What the callers saw.</summary>
    private sealed class Calls(IInspector inspector, byte[][] files, float[][] expected)
    {
        // How many took so many tenths of a millisecond, up to ten seconds: of a size that stays, as memory is measured beside it.
        private readonly int[] tenths = new int[100_000];
        private readonly Stopwatch clock = new();
        private long answered, refused, wrong;

        public long Answered => answered;

        public long Refused => refused;

        /// <summary>How long was called.</summary>
        public TimeSpan Time => clock.Elapsed;

        /// <summary>How long the processor worked meanwhile.</summary>
        public TimeSpan Processor { get; private set; }

        /// <summary>Kept over <see cref="Forget"/>.</summary>
        public long Wrong => wrong;

        public void Forget()
        {
            Array.Clear(tenths);
            clock.Reset();
            (answered, refused, Processor) = (0, 0, TimeSpan.Zero);
        }

        public double Percentile(double share)
        {
            var (place, left) = (0, (long)(share * answered));
            while (place < tenths.Length - 1 && left >= tenths[place])
            {
                left -= tenths[place++];
            }

            return place / 10.0;
        }

        /// <summary>Calls for a while, in which the model is swapped at even distances.</summary>
        public void Run(TimeSpan time, Func<Task> swap, int swaps)
        {
            var processor = Environment.CpuUsage.TotalTime;
            clock.Start();
            using var over = new CancellationTokenSource(time);
            var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller, over.Token))).ToArray();
            for (var i = 0; i < swaps; i++)
            {
                Thread.Sleep(time / (swaps + 1));
                swap().GetAwaiter().GetResult();
            }

            Task.WaitAll(callers);
            clock.Stop();
            Processor += Environment.CpuUsage.TotalTime - processor;
        }

        private async Task CallAsync(int caller, CancellationToken over)
        {
            for (var i = caller; !over.IsCancellationRequested; i++)
            {
                var started = Stopwatch.GetTimestamp();
                try
                {
                    var verdict = await inspector.InspectAsync(files[i % files.Length], "part", CancellationToken.None);
                    var took = (int)Math.Min(tenths.Length - 1, Stopwatch.GetElapsedTime(started).TotalMilliseconds * 10);
                    Interlocked.Increment(ref tenths[took]);
                    Interlocked.Increment(ref answered);
                    var due = expected[verdict.ModelVersion![0] - 'A'][i % files.Length];
                    if (!(MathF.Abs(verdict.Score - due) <= Tolerance))
                    {
                        Interlocked.Increment(ref wrong);
                    }
                }
                catch (InspectionRefusedException refusal) when (refusal.Reason == RefusalReason.QueueFull)
                {
                    Interlocked.Increment(ref refused);
                    await Task.Delay(5, CancellationToken.None);
                }
                catch (Exception fault)
                {
                    Interlocked.Increment(ref wrong);
                    Console.WriteLine($"failed: {fault}");
                }
            }
        }
    }
}
