using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Results.AspNetCore;
using QuickStart;

namespace Microsoft.ML.KagPrompt.Station.Tests.Demo;

/// <summary>The station with its demo product, over HTTP.</summary>
public sealed class DemoStationTests
{
    // One of those that it is taught with: good, whatever the threshold.
    private static readonly byte[] Good = ImageCodec.EncodePng(PartRenderer.Render(1000, null).Picture);

    [Fact]
    public async Task Inspect_OverHttp_NeedsAKey_AndAnswersOnce()
    {
        await using var station = await RunningStation.StartAsync(null, "--demo");
        var keys = new ApiKeys(Path.Combine(station.Data, "results", "api-keys.json"));
        using var writer = Client(station, await keys.CreateAsync("camera", ApiKeyRole.Write));
        using var reader = Client(station, await keys.CreateAsync("screen", ApiKeyRole.Read));
        using var nobody = Client(station, null);
        (await SendAsync(nobody, "washer", Good)).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        (await SendAsync(reader, "washer", Good)).StatusCode.Should().Be(HttpStatusCode.Forbidden);
        await UntilServedAsync(writer);

        var id = Guid.CreateVersion7();
        var first = await SendAsync(writer, $"washer?id={id}", Good);
        first.StatusCode.Should().Be(HttpStatusCode.OK);
        var verdict = JsonDocument.Parse(await first.Content.ReadAsStringAsync()).RootElement;
        verdict.GetProperty("isAnomalous").GetBoolean().Should().BeFalse();
        verdict.GetProperty("id").GetGuid().Should().Be(id);
        (await SendAsync(writer, "nut", Good)).StatusCode.Should().Be(HttpStatusCode.NotFound);
        (await SendAsync(writer, "washer?id=7d444840-9dc0-11d1-b245-5ffdce74fad2", Good)).StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await SendAsync(writer, "washer", "no picture"u8.ToArray())).StatusCode.Should().Be(HttpStatusCode.UnprocessableEntity);
        // It is refused before it is sent.
        writer.DefaultRequestHeaders.ExpectContinue = true;
        (await SendAsync(writer, "washer", new byte[20_000_001])).StatusCode.Should().Be(HttpStatusCode.RequestEntityTooLarge);
        writer.DefaultRequestHeaders.ExpectContinue = false;

        await Lines.LineBench.UntilAsync(() => writer.GetAsync($"/api/results/{id}").Result.IsSuccessStatusCode);
        var again = JsonDocument.Parse(await (await SendAsync(writer, $"washer?id={id}", Good)).Content.ReadAsStringAsync()).RootElement;
        again.GetProperty("score").GetSingle().Should().Be(verdict.GetProperty("score").GetSingle());
        var other = ImageCodec.EncodePng(PartRenderer.Render(1001, null).Picture);
        (await SendAsync(writer, $"washer?id={id}", other)).StatusCode.Should().Be(HttpStatusCode.Conflict, "it is another part's");
        (await SendAsync(writer, $"nut?id={id}", Good)).StatusCode.Should().Be(HttpStatusCode.Conflict);
        (await ResultsAsync(writer)).Count(result => result.GetProperty("id").GetGuid() == id).Should().Be(1);
    }

    [Fact]
    public async Task Station_KilledWhileItWorks_CountsEveryPartOnce()
    {
        var data = Directory.CreateTempSubdirectory("kagprompt-killed-").FullName;
        try
        {
            var key = await new ApiKeys(Path.Combine(data, "results", "api-keys.json")).CreateAsync("test", ApiKeyRole.Write);
            var folder = Directory.CreateDirectory(Path.Combine(data, "incoming", "demo")).FullName;
            var done = Path.Combine(folder, "done");
            await using (var station = await RunningStation.StartAsync(data, "--demo"))
            {
                using var client = Client(station, key);
                await UntilServedAsync(client);
                for (var i = 0; i < 30; i++)
                {
                    File.WriteAllBytes(Path.Combine(folder, $"a-{i:00}.png"), ImageCodec.EncodePng(PartRenderer.Render(i, null).Picture));
                }

                await Lines.LineBench.UntilAsync(() => Directory.Exists(done) && Directory.GetFiles(done, "a-*").Length is > 3);
                await station.KillAsync();
            }

            Directory.GetFiles(folder, "a-*").Should().NotBeEmpty("it was killed in the middle");
            await using var after = await RunningStation.StartAsync(data, "--demo");
            using var again = Client(after, key);
            await Lines.LineBench.UntilAsync(() => Directory.GetFiles(folder, "a-*").Length == 0);
            await Lines.LineBench.UntilAsync(() => HashesAsync(again).Result.Count >= 30);
            var files = Directory.GetFiles(done, "a-*")
                .Select(file => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file))));
            var counted = await HashesAsync(again);
            files.Should().HaveCount(30);
            files.Should().OnlyContain(hash => counted.Count(each => each == hash) == 1, "each part counts once, no more and no less");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task Inspect_ModelOfTheProductIsDamaged_Is503()
    {
        var data = Directory.CreateTempSubdirectory("kagprompt-damaged-").FullName;
        try
        {
            var key = await new ApiKeys(Path.Combine(data, "results", "api-keys.json")).CreateAsync("test", ApiKeyRole.Write);
            await using (var station = await RunningStation.StartAsync(data, "--demo"))
            {
                using var client = Client(station, key);
                await UntilServedAsync(client);
                await station.KillAsync();
            }

            foreach (var model in Directory.GetFiles(data, "model.kag", SearchOption.AllDirectories))
            {
                File.WriteAllBytes(model, File.ReadAllBytes(model)[..1000]);
            }

            await using var after = await RunningStation.StartAsync(data);
            using var again = Client(after, key);
            using var answer = await SendAsync(again, "washer", Good);
            answer.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable, after.Said);
            (await answer.Content.ReadAsStringAsync()).Should().Contain("washer").And.NotContain(data);
            (await SendAsync(again, "nut", Good)).StatusCode.Should().Be(HttpStatusCode.NotFound);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<IReadOnlyList<string>> HashesAsync(HttpClient client)
        => [.. (await ResultsAsync(client)).Select(result => result.GetProperty("pictureHash").GetString()!)];

    private static async Task<IReadOnlyList<JsonElement>> ResultsAsync(HttpClient client)
        => [.. JsonDocument.Parse(await client.GetStringAsync("/api/results?pageSize=1000")).RootElement.GetProperty("results")
            .EnumerateArray()];

    private static async Task UntilServedAsync(HttpClient client)
    {
        for (var tries = 0; (await SendAsync(client, "washer", Good)).StatusCode != HttpStatusCode.OK; tries++)
        {
            (tries < 120).Should().BeTrue("the demo's product should be served by now");
            await Task.Delay(500);
        }
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string product, byte[] file)
        => client.PostAsync($"/api/inspect/{product}", new ByteArrayContent(file));

    private static HttpClient Client(RunningStation station, string? key)
    {
        var client = new HttpClient(new HttpClientHandler { UseProxy = false }) { BaseAddress = station.Address };
        client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return client;
    }
}
