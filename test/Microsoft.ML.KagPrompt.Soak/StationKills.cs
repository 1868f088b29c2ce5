using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.AspNetCore;
using Microsoft.ML.KagPrompt.Station.Tests;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>
/// A station that is killed at random moments: while callers send it pictures and files lie in its folder, and every fourth time while it
/// starts for the first time and teaches its demo's product. What it acknowledged must be in its database, once; what lay in the folder,
/// too; and whatever it wrote must be whole.
/// </summary>
internal static class StationKills
{
    private const int Callers = 3;
    private const int FilesEachTime = 4;
    private const int MostMilliseconds = 6000;
    private const int MostMillisecondsOfAStart = 9000;
    private const int Side = 96;

    public static async Task RunAsync(Totals totals, int seed, long count)
    {
        var random = new Random(seed);
        var data = Directory.CreateTempSubdirectory("kagprompt-soak-").FullName;
        try
        {
            var plant = new Load(data, await new ApiKeys(Path.Combine(data, "results", "api-keys.json")).CreateAsync("soak", ApiKeyRole.Write));
            for (var i = 0; i < count; i++)
            {
                await (i % 4 == 3 ? FirstStartAsync(totals, random) : WorkAsync(totals, random, plant));
                totals.Add(kills: 1);
            }

            // Once more, to end what lies there.
            await using (var station = await RunningStation.StartAsync(data, "--demo"))
            {
                await plant.UntilServedAsync(station);
                await plant.SendUnansweredAsync(station);
                await UntilAsync(() => plant.FilesLeft == 0);
            }

            await CountAsync(totals, plant);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task WorkAsync(Totals totals, Random random, Load plant)
    {
        await using var station = await RunningStation.StartAsync(plant.Data, "--demo");
        await plant.UntilServedAsync(station);
        plant.AddFiles(FilesEachTime);
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, Callers).Select(_ => Task.Run(() => plant.SendAsync(station, stop.Token))).ToArray();
        await Task.Delay(random.Next(MostMilliseconds), default);
        await station.KillAsync();
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        totals.Say($"station: killed with {plant.Acknowledged.Count} pictures acknowledged in all, {plant.FilesLeft} files left");
    }

    /// <summary>A folder of its own each time: the product is taught at the first start only.</summary>
    private static async Task FirstStartAsync(Totals totals, Random random)
    {
        var data = Directory.CreateTempSubdirectory("kagprompt-soak-").FullName;
        try
        {
            var plant = new Load(data, await new ApiKeys(Path.Combine(data, "results", "api-keys.json")).CreateAsync("soak", ApiKeyRole.Write));
            await using (var station = RunningStation.Begin(data, "--demo"))
            {
                await Task.Delay(random.Next(MostMillisecondsOfAStart));
                await station.KillAsync();
            }

            await using var again = await RunningStation.StartAsync(data, "--demo");
            await plant.UntilServedAsync(again);
        }
        catch (TimeoutException fault)
        {
            totals.Add(lostFiles: 1);
            totals.Say($"station: {fault.Message}");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task CountAsync(Totals totals, Load plant)
    {
        var services = new ServiceCollection();
        services.AddKagPromptResults(options => options.Folder = Path.Combine(plant.Data, "results"));
        var stored = new List<StoredResult>();
        await using (var provider = services.BuildServiceProvider())
        {
            await foreach (var result in provider.GetRequiredService<IResultStore>().StreamAsync(ResultFilter.All))
            {
                stored.Add(result);
            }
        }

        var times = stored.CountBy(result => result.Id).ToDictionary();
        var ofPicture = stored.CountBy(result => result.PictureHash ?? "").ToDictionary();
        var lost = plant.Acknowledged.Distinct().Count(id => !times.ContainsKey(id));
        var lostFiles = plant.Files.Count(hash => !ofPicture.ContainsKey(hash));
        var repeated = times.Values.Sum(count => count - 1) + plant.Files.Sum(hash => Math.Max(0, ofPicture.GetValueOrDefault(hash) - 1));
        var torn = Directory.EnumerateFiles(Path.Combine(plant.Data, "results", "pictures"), "*", SearchOption.AllDirectories)
            .Count(file => !IsWhole(file));
        totals.Add(results: stored.Count, lostResults: lost + lostFiles, repeatedResults: repeated, lostFiles: torn);
        totals.Set("station_acknowledged", plant.Acknowledged.Count);
        totals.Set("station_files", plant.Files.Count);
    }

    /// <summary>Whether a file's name, the hash of what it holds, is right.</summary>
    private static bool IsWhole(string file)
        => Path.GetFileName(file).StartsWith(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))), StringComparison.Ordinal);

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var clock = Stopwatch.StartNew(); !holds(); await Task.Delay(100))
        {
            if (clock.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new TimeoutException("the station did not come to it within two minutes.");
            }
        }
    }

    /// <summary>What is sent to a station and laid into its folder, and what of it was answered.</summary>
    private sealed class Load(string data, string key)
    {
        private readonly ConcurrentQueue<(Guid Id, int Picture)> unanswered = new();
        private int pictures;

        public string Data => data;

        public ConcurrentQueue<Guid> Acknowledged { get; } = new();

        /// <summary>Hashes of what was laid into the folder.</summary>
        public List<string> Files { get; } = [];

        public int FilesLeft => Directory.GetFiles(Incoming, "part-*").Length;

        private string Incoming => Directory.CreateDirectory(Path.Combine(data, "incoming", "demo")).FullName;

        public void AddFiles(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var picture = Picture(Interlocked.Increment(ref pictures));
                // Named when whole, as a camera's program should.
                var path = Path.Combine(Incoming, $"part-{pictures:00000}.png");
                File.WriteAllBytes(path + ".tmp", picture);
                File.Move(path + ".tmp", path);
                Files.Add(Convert.ToHexStringLower(SHA256.HashData(picture)));
            }
        }

        public async Task SendAsync(RunningStation station, CancellationToken stop)
        {
            using var client = Client(station);
            while (!stop.IsCancellationRequested)
            {
                // What was not answered is asked again with its id.
                var (id, picture) = unanswered.TryDequeue(out var again) ? again
                    : (Guid.CreateVersion7(), Interlocked.Increment(ref pictures));
                try
                {
                    if (await PostAsync(client, id, picture) == HttpStatusCode.OK)
                    {
                        Acknowledged.Enqueue(id);
                        continue;
                    }
                }
                catch (HttpRequestException)
                {
                }

                unanswered.Enqueue((id, picture));
                await Task.Delay(20, default);
            }
        }

        public async Task SendUnansweredAsync(RunningStation station)
        {
            using var client = Client(station);
            while (unanswered.TryDequeue(out var next))
            {
                if (await PostAsync(client, next.Id, next.Picture) == HttpStatusCode.OK)
                {
                    Acknowledged.Enqueue(next.Id);
                }
                else
                {
                    unanswered.Enqueue(next);
                    await Task.Delay(20);
                }
            }
        }

        public async Task UntilServedAsync(RunningStation station)
        {
            using var client = Client(station);
            await UntilAsync(() => PostAsync(client, Guid.CreateVersion7(), Interlocked.Increment(ref pictures)).Result == HttpStatusCode.OK);
        }

        private static byte[] Picture(int number) => ImageCodec.EncodePng(Parts.Picture(Side, number));

        private static async Task<HttpStatusCode> PostAsync(HttpClient client, Guid id, int picture)
            => (await client.PostAsync(new Uri($"/api/inspect/washer?id={id}", UriKind.Relative), new ByteArrayContent(Picture(picture)))).StatusCode;

        private HttpClient Client(RunningStation station)
        {
            var client = new HttpClient(new HttpClientHandler { UseProxy = false }) { BaseAddress = station.Address };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            return client;
        }
    }
}
