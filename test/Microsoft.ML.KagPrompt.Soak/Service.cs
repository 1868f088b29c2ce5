using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.KagPrompt.Hosting;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>
/// A hosted model under eight callers: every request is answered or refused, every verdict is the single call's of the version that made it,
/// while the model is swapped ten times, and memory stays.
/// </summary>
internal static class Service
{
    private const int Callers = 8, Swaps = 10, Batch = 8;
    private const float Tolerance = 1e-4f;
    private static readonly string[] Figures = ["answered", "refused", "wrong", "p99_ms", "images_per_s", "batch_images_per_s"];

    /// <param name="totals">Where figures go.</param>
    /// <param name="seconds">How long the callers call.</param>
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
                else if (name == "growth")
                {
                    totals.AddGrowth(value);
                }
            }
        });
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
        var speed = BatchSpeed(models[0], files, alone);

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
        // A quarter to warm up, with swaps in it: caches fill, pools find their size.
        var quarter = TimeSpan.FromSeconds(seconds / 4.0);
        calls.Run(quarter, Swap, 1, Swaps / 4);
        var (before, resident) = (Scoring.Settled(), Memory.Resident());
        calls.Forget();
        var rest = quarter * 3;
        calls.Run(rest, Swap, 1 + (Swaps / 4), Swaps - (Swaps / 4));
        var after = Scoring.Settled();
        host.StopAsync().GetAwaiter().GetResult();
        Say("batch_images_per_s", (speed + BatchSpeed(models[0], files, alone)) / 2);
        Say("answered", calls.Answered);
        Say("refused", calls.Refused);
        Say("wrong", calls.Wrong);
        Say("p99_ms", calls.Percentile(0.99));
        Say("images_per_s", calls.Answered / rest.TotalSeconds);
        Say("growth", (double)(after - before) / resident);
        Directory.Delete(folder, recursive: true);
        return 0;
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

    /// <summary>Images a second of the model alone, in full batches of pictures that are decoded already.</summary>
    private static double BatchSpeed(string zip, byte[][] files, TimeSpan time)
    {
        using var model = KagPromptTransformer.FindIn(Context().Model.Load(zip, out _)).Model;
        var squares = Enumerable.Range(0, Batch).Select(i => model.ToModelSize(ImageCodec.Read(files[i % files.Length], "file"))).ToArray();
        var names = new string?[Batch];
        model.Inspect(squares, names);
        var (clock, images) = (Stopwatch.StartNew(), 0);
        for (; clock.Elapsed < time; images += Batch)
        {
            model.Inspect(squares, names);
        }

        return images / clock.Elapsed.TotalSeconds;
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }

    /// <summary>What the callers saw.</summary>
    private sealed class Calls(IInspector inspector, byte[][] files, float[][] expected)
    {
        private readonly ConcurrentBag<double> milliseconds = [];
        private long refused, wrong;

        public long Answered => milliseconds.Count;

        public long Refused => refused;

        /// <summary>Kept over <see cref="Forget"/>.</summary>
        public long Wrong => wrong;

        public void Forget()
        {
            milliseconds.Clear();
            refused = 0;
        }

        public double Percentile(double share)
        {
            var sorted = milliseconds.Order().ToArray();
            return sorted.Length == 0 ? double.NaN : sorted[(int)Math.Min(sorted.Length - 1, share * sorted.Length)];
        }

        /// <summary>Calls for a while, in which the model is swapped at even distances.</summary>
        public void Run(TimeSpan time, Func<int, Task> swap, int firstSwap, int swaps)
        {
            using var over = new CancellationTokenSource(time);
            var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller, over.Token))).ToArray();
            for (var i = 0; i < swaps; i++)
            {
                Thread.Sleep(time / (swaps + 1));
                swap(firstSwap + i).GetAwaiter().GetResult();
            }

            Task.WaitAll(callers);
        }

        private async Task CallAsync(int caller, CancellationToken over)
        {
            for (var i = caller; !over.IsCancellationRequested; i++)
            {
                var started = Stopwatch.GetTimestamp();
                try
                {
                    var verdict = await inspector.InspectAsync(files[i % files.Length], "part", CancellationToken.None);
                    milliseconds.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
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
