using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Orleans;
using Microsoft.ML.KagPrompt.Results;

namespace Plant;

/// <summary>Starts the silos, sends pictures for a while, and tells what came of them.</summary>
internal static class Client
{
    private const int Pictures = 48;
    private const string WarmUp = "warm-up";

    public static async Task<int> RunAsync(Arguments asked)
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-plant-").FullName;
        var silos = new List<SiloProcess>();
        try
        {
            Console.WriteLine("Teaching a product of rendered washers.");
            var model = Path.Combine(folder, "washer.onnx");
            var (taught, parts) = (Product.Fit(model), Product.Parts(Pictures));
            var (perSecond, milliseconds) = await Product.AloneAsync(model, parts);
            Console.WriteLine(FormattableString.Invariant($"The model without the plant: {perSecond:0.0} pictures/s, ")
                + FormattableString.Invariant($"{milliseconds:0.0} ms of processor a picture of {parts.Average(part => part.Length) / 1000:0} kB."));
            var (siloPort, gatewayPort) = (FreePorts(asked.Silos), FreePorts(asked.Silos, from: 31_000));
            Console.WriteLine($"Starting {asked.Silos} silos, {(asked.Postgres is null ? "on this machine alone" : "which meet in PostgreSQL")}.");
            for (var i = 0; i < asked.Silos; i++)
            {
                silos.Add(await SiloProcess.StartAsync(i, folder, siloPort, gatewayPort, asked.Postgres));
            }

            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.AddKagPromptPlantClient(options =>
            {
                options.PostgresConnectionString = asked.Postgres;
                options.GatewayPorts = [.. Enumerable.Range(gatewayPort, asked.Silos)];
                options.PictureFolder = Path.Combine(folder, "pictures");
            });
            using var host = builder.Build();
            await host.StartAsync();
            await InspectAsync(asked, taught, parts, silos, host.Services);
            await host.StopAsync();
            // The first one last: the others ask it who is there.
            foreach (var silo in silos.AsEnumerable().Reverse())
            {
                await silo.StopAsync();
            }

            return 0;
        }
        finally
        {
            silos.ForEach(silo => silo.Dispose());
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task InspectAsync(Arguments asked, float[] taught, byte[][] parts, List<SiloProcess> silos, IServiceProvider services)
    {
        var plant = services.GetRequiredService<IPlantClient>();
        var store = services.GetRequiredService<IPictureStore>();
        string[] lines = [.. Enumerable.Range(1, asked.Lines).Select(i => $"line-{i}")];
        foreach (var line in lines.Append(WarmUp))
        {
            await plant.SetUpLineAsync(line, new() { Product = Product.Name, TeachingScores = taught });
        }

        var pictures = await Task.WhenAll(parts.Select(part => store.AddAsync(part)));
        // Not measured at first: code is compiled and compiled again while it runs.
        await LoadAsync([WarmUp], asked.Seconds / 2.0);
        Console.WriteLine($"Inspecting for {asked.Seconds} s: {asked.Lines} lines, {asked.Callers} pictures at once.");
        var (clock, before) = (Stopwatch.StartNew(), ProcessorTime());
        var calls = await LoadAsync(lines, asked.Seconds);
        var (elapsed, spent) = (clock.Elapsed, ProcessorTime() - before);
        await Table.PrintAsync(calls, plant, lines, elapsed, spent, [.. silos.Select(silo => silo.Megabytes)]);
        (clock, before) = (Stopwatch.StartNew(), ProcessorTime());
        await Task.Delay(TimeSpan.FromSeconds(5));
        Console.WriteLine(FormattableString.Invariant(
            $"At rest: {(ProcessorTime() - before).TotalMilliseconds / clock.Elapsed.TotalSeconds:0} ms of processor a second, silos and client together."));

        async Task<Call[]> LoadAsync(string[] some, double seconds)
        {
            var (made, time) = (new ConcurrentBag<Call>(), Stopwatch.StartNew());
            await Task.WhenAll(Enumerable.Range(0, asked.Callers).Select(caller => Task.Run(async () =>
            {
                for (var i = caller; time.Elapsed < TimeSpan.FromSeconds(seconds); i += asked.Callers)
                {
                    made.Add(await CallAsync(plant, some[i % some.Length], pictures[i / some.Length % Pictures]));
                }
            })));
            return [.. made];
        }

        TimeSpan ProcessorTime() => silos.Aggregate(Environment.CpuUsage.TotalTime, (sum, silo) => sum + silo.ProcessorTime);
    }

    private static async Task<Call> CallAsync(IPlantClient plant, string line, PictureReference picture)
    {
        var since = Stopwatch.GetTimestamp();
        try
        {
            var answer = await plant.InspectAsync(line, picture, InspectionRecord.NewId());
            return new(line, answer.Silo, Stopwatch.GetElapsedTime(since), null);
        }
        catch (InspectionRefusedException refusal)
        {
            await Task.Delay(refusal.RetryAfter ?? TimeSpan.FromMilliseconds(100));
            return new(line, null, Stopwatch.GetElapsedTime(since), "refused");
        }
        catch (PlantException fault)
        {
            return new(line, null, Stopwatch.GetElapsedTime(since), fault.Fault.ToString());
        }
    }

    /// <summary>The first of so many ports in a row that nobody has.</summary>
    private static int FreePorts(int count, int from = 21_000)
    {
        for (var first = from; first < from + 9_000; first += count)
        {
            if (Enumerable.Range(first, count).All(IsFree))
            {
                return first;
            }
        }

        throw new InvalidOperationException($"There are no {count} free ports in a row from {from} on.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>What came of a picture.</summary>
/// <param name="Line">Whose.</param>
/// <param name="Silo">Who inspected it; null: nobody.</param>
/// <param name="Time">From the call to its end.</param>
/// <param name="Fault">Null: it was answered.</param>
internal sealed record Call(string Line, string? Silo, TimeSpan Time, string? Fault);
