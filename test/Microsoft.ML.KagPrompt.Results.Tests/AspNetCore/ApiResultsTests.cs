using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Results.AspNetCore;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.AspNetCore;

/// <summary>What a key that reads is answered.</summary>
public sealed class ApiResultsTests
{
    private static readonly byte[] Png = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 1, 2, 3];

    [Fact]
    public async Task Query_PageByPage_GivesAllWithTheFilter()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        for (var i = 0; i < 5; i++)
        {
            await host.StoreAsync(ResultsHost.Record(score: i, isAnomalous: i != 2));
        }

        var scores = new List<float>();
        for (var after = ""; after is not null;)
        {
            var page = await client.GetFromJsonAsync<ResultPage>($"/api/results?product=bolt&verdict=anomalous&order=worstFirst&pageSize=2&from=2026-01-01T00:00:00Z{after}");
            scores.AddRange(page!.Results.Select(result => result.Score));
            after = page.Next is { } next ? $"&after={next}" : null;
        }

        scores.Should().Equal(4, 3, 1, 0);
    }

    [Fact]
    public async Task Find_AResult_HasSmallNamesAndWordsForKinds()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        var record = await host.StoreAsync(ResultsHost.Record("<script>alert(1)</script>"));
        var text = await client.GetStringAsync($"/api/results/{record.Id}");
        text.Should().NotContain("<script>", "JSON in a page must not end it");
        var found = JsonDocument.Parse(text).RootElement;
        found.GetProperty("product").GetString().Should().Be("<script>alert(1)</script>");
        found.GetProperty("feedback").GetString().Should().Be("None");
        found.GetProperty("time").GetDateTimeOffset().Should().Be(record.Time);
        (await client.GetAsync($"/api/results/{InspectionRecord.NewId()}")).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("?pageSize=0")]
    [InlineData("?pageSize=x")]
    [InlineData("?order=9")]
    [InlineData("?verdict=good")]
    [InlineData("?verdict=9")]
    [InlineData("?from=yesterday")]
    [InlineData("?after=..%2F..%2Fetc")]
    [InlineData("?product=a%00b")]
    [InlineData("/quantiles?q=2")]
    [InlineData("/quantiles?q=x")]
    [InlineData("/export?format=exe")]
    public async Task Ask_WhatIsNoQuestion_Is400(string query)
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        (await client.GetAsync("/api/results" + query)).StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Picture_OfAResult_IsItsBytesAndNothingABrowserRuns()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        var png = await host.StoreAsync(picture: Png);
        var page = await host.StoreAsync(picture: "<html><script>"u8.ToArray());
        var none = await host.StoreAsync();
        var answer = await client.GetAsync($"/api/results/{png.Id}/picture");
        (await answer.Content.ReadAsByteArrayAsync()).Should().Equal(Png);
        answer.Content.Headers.ContentType!.ToString().Should().Be("image/png");
        answer.Content.Headers.ContentDisposition!.ToString().Should().MatchRegex("^attachment; filename=[0-9a-f]{16}.png");
        answer.Headers.GetValues("X-Content-Type-Options").Should().Equal("nosniff");
        (await client.GetAsync($"/api/results/{page.Id}/picture")).Content.Headers.ContentType!.ToString().Should().Be("application/octet-stream");
        (await client.GetAsync($"/api/results/{none.Id}/picture")).StatusCode.Should().Be(HttpStatusCode.NotFound);
        (await client.GetAsync($"/api/results/{none.Id}/map")).StatusCode.Should().Be(HttpStatusCode.NotFound);
        (await client.GetAsync("/api/results/..%2F..%2Fapi-keys.json/picture")).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Picture_DamagedOnDisk_Is500AndNotShown()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        var record = await host.StoreAsync(picture: Png);
        var file = Directory.GetFiles(Path.Combine(host.Folder, "pictures"), "*", SearchOption.AllDirectories).Single();
        await File.WriteAllBytesAsync(file, Png.Reverse().ToArray());
        var answer = await client.GetAsync($"/api/results/{record.Id}/picture");
        answer.StatusCode.Should().Be(HttpStatusCode.InternalServerError);
        (await answer.Content.ReadAsStringAsync()).Should().Contain("damaged").And.NotContain(host.Folder);
    }

    [Fact]
    public async Task Map_OfAResult_IsAnNpyInGzip()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        var record = await host.StoreAsync(map: new ResultMap(new float[] { 1, 2 }, 1, 2));
        var answer = await client.GetAsync($"/api/results/{record.Id}/map");
        answer.Content.Headers.ContentType!.ToString().Should().Be("application/gzip");
        Results.Pictures.MapFile.Decode(await answer.Content.ReadAsByteArrayAsync()).Values.ToArray().Should().Equal(1, 2);
    }

    [Fact]
    public async Task Counts_AndQuantiles_AreThoseOfTheFilter()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        await host.StoreAsync(ResultsHost.Record(score: 1));
        await host.StoreAsync(ResultsHost.Record(score: 2, isAnomalous: true));
        await host.StoreAsync(ResultsHost.Record("nut", score: 9));
        (await client.GetFromJsonAsync<HourlyCount[]>("/api/results/count-by-hour?product=bolt")).Should().ContainSingle()
            .Which.Should().BeEquivalentTo(new { Total = 2, Anomalous = 1, Foreign = 0 });
        (await client.GetFromJsonAsync<double[]>("/api/results/quantiles?product=bolt&q=0.5&q=1")).Should().Equal(1.5, 2);
    }

    [Fact]
    public async Task Export_AsCsvAndJsonLines_HasAllAndIsInert()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        await host.StoreAsync(ResultsHost.Record("=cmd()"));
        await host.StoreAsync(ResultsHost.Record("nut"));
        var csv = await client.GetAsync("/api/results/export");
        csv.Content.Headers.ContentType!.MediaType.Should().Be("text/csv");
        csv.Content.Headers.ContentDisposition!.ToString().Should().Be("attachment; filename=results.csv");
        (await csv.Content.ReadAsStringAsync()).Split("\r\n").Should().HaveCount(4).And.ContainMatch("*,'=cmd(),*");
        (await client.GetStringAsync("/api/results/export?format=jsonl&product=nut")).Split('\n').Should().HaveCount(2);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/export")]
    [InlineData("/count-by-hour")]
    public async Task Ask_DatabaseAway_Is503AndHealthIsOk(string path)
    {
        await using var host = await ApiHost.StartAsync(options => options.PostgresConnectionString = "Host=/nowhere;Timeout=1");
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        var answer = await client.GetAsync("/api/results" + path);
        answer.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        answer.Headers.RetryAfter.Should().NotBeNull();
        (await answer.Content.ReadAsStringAsync()).Should().NotContain("/nowhere");
        (await host.Client().GetStringAsync("/api/health")).Should().Be("""{"status":"ok","pending":0}""");
    }

    [Fact]
    public async Task OpenApi_Document_NamesEveryCallAndTheKey()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        var document = JsonDocument.Parse(await client.GetStringAsync("/api/openapi/kagprompt-results.json")).RootElement;
        document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(call => $"{call.Name} {path.Name}"))
            .Should().BeEquivalentTo(
                "get /api/health", "get /api/results", "post /api/results", "get /api/results/{id}", "get /api/results/{id}/picture",
                "get /api/results/{id}/map", "get /api/results/{id}/feedback", "put /api/results/{id}/feedback", "get /api/results/count-by-hour",
                "get /api/results/quantiles", "get /api/results/export");
        document.GetProperty("components").GetProperty("securitySchemes").GetProperty("key").GetProperty("scheme").GetString().Should().Be("bearer");
        document.GetProperty("paths").GetProperty("/api/results").GetProperty("post").GetProperty("requestBody").GetProperty("content")
            .GetProperty("multipart/form-data").GetProperty("schema").GetProperty("properties").EnumerateObject().Select(part => part.Name)
            .Should().Equal("record", "picture");
    }
}
