using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Orleans;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>
/// Three silos under load, one of which is killed again and again: every picture is answered once or told to have failed, as the database
/// has it, and no silo has more than its share.
/// </summary>
internal static class Plant
{
    private const int Silos = 3, Callers = 8, Pictures = 12;
    private const double MostShare = 0.45;
    private const float Tolerance = 1e-4f;
    private static readonly string[] Lines = ["a", "b", "c", "d"];

    public static async Task RunAsync(Totals totals, int seed, long kills)
    {
        using var server = new PostgresProgram();
        if (server.WhyNot is { } why)
        {
            totals.Say($"plant: left out, as {why}");
            return;
        }

        var (folder, database, ports) = (Directory.CreateTempSubdirectory("kagprompt-soak-").FullName, server.NewDatabase(), FreePorts(2 * Silos));
        var files = Enumerable.Range(0, Pictures).Select(i => ImageCodec.EncodePng(Parts.Picture(160, i))).ToArray();
        var expected = Fit(Path.Combine(folder, PlantSilo.Model), files);
        var silos = new Process?[Silos];
        try
        {
            for (var i = 0; i < Silos; i++)
            {
                silos[i] = await StartAsync(i);
            }

            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.AddKagPromptPlantClient(options => (options.PostgresConnectionString, options.PictureFolder)
                = (database, Path.Combine(folder, PlantSilo.Pictures)));
            using var host = builder.Build();
            await host.StartAsync();
            await TrialAsync(totals, new Random(seed), kills, host.Services, files, expected, database, folder, silos, StartAsync);
            await host.StopAsync();
        }
        finally
        {
            foreach (var silo in silos)
            {
                silo?.Kill();
                silo?.WaitForExit();
            }

            Directory.Delete(folder, recursive: true);
        }

        async Task<Process> StartAsync(int i)
        {
            var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            string Port(int at) => ports[at].ToString(CultureInfo.InvariantCulture);
            var silo = ChildProcess.Start(["silo", $"{i}", folder, Port(2 * i), Port((2 * i) + 1), database], line =>
            {
                if (line == PlantSilo.Ready)
                {
                    ready.TrySetResult();
                }
            });
            await Task.WhenAny(ready.Task, silo.WaitForExitAsync());
            return ready.Task.IsCompleted ? silo : throw new InvalidOperationException($"silo {i} ended with {silo.ExitCode} before it was ready.");
        }
    }

    private static async Task TrialAsync(Totals totals, Random random, long kills, IServiceProvider services, byte[][] files, float[] expected,
        string database, string folder, Process?[] silos, Func<int, Task<Process>> start)
    {
        var (plant, store) = (services.GetRequiredService<IPlantClient>(), services.GetRequiredService<IPictureStore>());
        var pictures = await Task.WhenAll(files.Select(file => store.AddAsync(file)));
        foreach (var line in Lines)
        {
            await plant.SetUpLineAsync(line, new() { Product = PlantSilo.Product });
        }

        var calls = new Calls(totals, plant, pictures, expected);
        using var over = new CancellationTokenSource();
        var clock = Stopwatch.StartNew();
        var load = Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => calls.CallAsync(caller, over.Token))));
        for (var i = 0L; i < kills; i++)
        {
            await Task.Delay(random.Next(1000, 5000));
            // In turn, at random moments: so that each is away as long as the others.
            var victim = silos[i % Silos]!;
            victim.Kill();
            await victim.WaitForExitAsync();
            totals.Add(kills: 1);
            await Task.Delay(random.Next(3000));
            silos[i % Silos] = await start((int)(i % Silos));
        }

        await Task.Delay(3000);
        var seconds = clock.Elapsed.TotalSeconds;
        await over.CancelAsync();
        await load;
        await CheckAsync(totals, plant, calls, database, folder);
        calls.Tell(seconds);
    }

    /// <summary>What callers were told, against what the database has.</summary>
    private static async Task CheckAsync(Totals totals, IPlantClient plant, Calls calls, string database, string folder)
    {
        var services = new ServiceCollection();
        services.AddKagPromptResults(options => (options.Folder, options.PostgresConnectionString) = (Path.Combine(folder, "check"), database));
        await using var provider = services.BuildServiceProvider();
        var stored = new List<StoredResult>();
        // What a silo that was killed had in its journal comes with its next start.
        for (var before = -1; stored.Count != before;)
        {
            await Task.Delay(2000);
            before = stored.Count;
            stored.Clear();
            await foreach (var result in provider.GetRequiredService<IResultStore>().StreamAsync(ResultFilter.All))
            {
                stored.Add(result);
            }
        }

        var byId = stored.ToLookup(result => result.Id);
        var lost = calls.Answers.Count(answer => byId[answer.Id].Count() != 1);
        var wrong = calls.Answers.Count(answer => byId[answer.Id].Any(result => result.Score != answer.Score || result.Station != answer.Silo));
        var told = calls.Answers.Select(answer => answer.Id).Concat(calls.Failures.Keys).ToHashSet();
        var unknown = stored.Count(result => !told.Contains(result.Id));
        totals.Set("plant_lost", lost);
        totals.Set("plant_wrong", wrong + calls.Wrong + unknown);
        var miscounted = 0L;
        foreach (var line in Lines)
        {
            miscounted += Math.Abs((await plant.GetLineAsync(line, recount: true)).Answered - stored.Count(result => result.Line == line));
        }

        totals.Set("plant_miscounted", miscounted);
        totals.Set("plant_failed_but_stored", calls.Failures.Keys.Count(id => byId[id].Any()));
        var share = calls.Answers.GroupBy(answer => answer.Silo).Max(silo => silo.Count()) / (double)calls.Answers.Count;
        totals.Set("plant_busiest_share", Math.Round(share, 4));
        totals.Set("plant_unequal", share <= MostShare ? 0 : 1);
    }

    private static float[] Fit(string path, byte[][] files)
    {
        using var model = KagPromptTrainer.Fit(files[..3].Select(file => new TrainingImage { Image = ImageCodec.Read(file, "file"), ClassName = PlantSilo.Product }),
            new() { Images = new() { Size = 112 }, Device = "cpu" });
        model.ExportOnnx(path);
        return [.. files.Select(file => model.Inspect(ImageCodec.Read(file, "file")).Score)];
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        Array.ForEach(listeners, listener => listener.Start());
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        Array.ForEach(listeners, listener => listener.Stop());
        return ports;
    }

    /// <summary>What the callers saw.</summary>
    private sealed class Calls(Totals totals, IPlantClient plant, PictureReference[] pictures, float[] expected)
    {
        private readonly ConcurrentBag<double> milliseconds = [];
        private long wrong, refused;

        public ConcurrentBag<PlantAnswer> Answers { get; } = [];

        public ConcurrentDictionary<Guid, string> Failures { get; } = new();

        public long Wrong => wrong;

        public async Task CallAsync(int caller, CancellationToken over)
        {
            for (var i = caller; !over.IsCancellationRequested; i += Callers)
            {
                var (id, started) = (InspectionRecord.NewId(), Stopwatch.GetTimestamp());
                try
                {
                    var answer = await plant.InspectAsync(Lines[i % Lines.Length], pictures[i % pictures.Length], id, CancellationToken.None);
                    milliseconds.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                    Answers.Add(answer);
                    if (answer.Id != id || !(MathF.Abs(answer.Score - expected[i % pictures.Length]) <= Tolerance))
                    {
                        Interlocked.Increment(ref wrong);
                    }
                }
                catch (InspectionRefusedException refusal)
                {
                    Interlocked.Increment(ref refused);
                    Failures[id] = refusal.Message;
                    await Task.Delay(refusal.RetryAfter ?? TimeSpan.FromMilliseconds(100), CancellationToken.None);
                }
                catch (PlantException fault)
                {
                    Failures[id] = fault.Message;
                    totals.Say($"failed: {fault.Fault}: {fault.Message}");
                }
            }
        }

        public void Tell(double seconds)
        {
            double[] sorted = [.. milliseconds.Order()];
            totals.Set("plant_answered", Answers.Count);
            totals.Set("plant_refused", refused);
            totals.Set("plant_failed", Failures.Count - refused);
            totals.Set("plant_images_per_s", Math.Round(Answers.Count / seconds, 2));
            totals.Set("plant_p50_ms", Math.Round(sorted[sorted.Length / 2], 1));
            totals.Set("plant_p99_ms", Math.Round(sorted[(int)(0.99 * sorted.Length)], 1));
            totals.Set("plant_max_ms", Math.Round(sorted[^1], 1));
        }
    }
}
