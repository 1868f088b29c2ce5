using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.KagPrompt.Results.AspNetCore;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.AspNetCore;

/// <summary>What a key that writes may do.</summary>
public sealed class ApiRecordTests
{
    [Fact]
    public async Task Record_AResultWithAPictureOfAnyName_IsStoredUnderItsHash()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Write);
        var record = ResultsHost.Record();
        var before = Files(host);
        foreach (var name in new[] { "../../evil.png", "/etc/cron.d/evil", "a\\..\\b", "=cmd.csv" })
        {
            var answer = await client.PostAsync("/api/results", Form(record, "picture"u8.ToArray(), name));
            answer.StatusCode.Should().Be(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
            answer.Headers.Location!.ToString().Should().Be($"/api/results/{record.Id}");
        }

        await host.Recorder.WhenStoredAsync();
        (await client.GetFromJsonAsync<StoredResult>($"/api/results/{record.Id}"))!.PictureHash
            .Should().HaveLength(64).And.Be(Files(host).Except(before).Single(), "that is the only new file, whatever the names");
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Should().ContainSingle("the same id counts once");
    }

    [Fact]
    public async Task Record_WhatIsNoResult_Is400AndNotKept()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Write);
        var good = JsonContent.Create(ResultsHost.Record());
        HttpContent[] bodies =
        [
            Form(ResultsHost.Record() with { Product = "a\0b" }, null, ""),
            Form(ResultsHost.Record() with { Id = Guid.NewGuid() }, null, ""),
            new MultipartFormDataContent { { new StringContent("{}"), "record" } },
            new MultipartFormDataContent { { new StringContent("null"), "record" } },
            new MultipartFormDataContent { { new StringContent("""{"pictureHash":"../x"}"""), "record" } },
            new MultipartFormDataContent { { new StringContent("x"), "other" } },
            new MultipartFormDataContent { { good, "record" }, { new StringContent("x"), "record" } }, new MultipartFormDataContent(),
        ];
        foreach (var body in bodies)
        {
            (await client.PostAsync("/api/results", body)).StatusCode.Should().Be(HttpStatusCode.BadRequest);
        }

        (await client.PostAsync("/api/results", new StringContent("{}"))).StatusCode.Should().Be(HttpStatusCode.UnsupportedMediaType);
        host.Recorder.Pending.Should().Be(0);
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Should().BeEmpty();
    }

    [Fact]
    public async Task Record_TooLarge_Is413AndNotKept()
    {
        await using var host = await ApiHost.StartAsync(options => options.MaxPictureBytes = 1000);
        using var client = await host.ClientAsync(ApiKeyRole.Write);
        (await client.PostAsync("/api/results", Form(ResultsHost.Record(), new byte[1001], "a"))).StatusCode.Should()
            .Be(HttpStatusCode.RequestEntityTooLarge);
        (await client.PostAsync("/api/results", Form(ResultsHost.Record(new string('a', 70_000)), null, ""))).StatusCode.Should()
            .Be(HttpStatusCode.RequestEntityTooLarge);
        (await client.PostAsync("/api/results", Form(ResultsHost.Record(), new byte[1000], "a"))).StatusCode.Should()
            .Be(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Record_DatabaseAway_IsAcceptedAndWaits()
    {
        await using var host = await ApiHost.StartAsync(options => options.PostgresConnectionString = "Host=/nowhere;Timeout=1");
        using var client = await host.ClientAsync(ApiKeyRole.Write);
        (await client.PostAsync("/api/results", Form(ResultsHost.Record(), [1], "a"))).StatusCode.Should().Be(HttpStatusCode.Accepted);
        (await host.Client().GetStringAsync("/api/health")).Should().Be("""{"status":"ok","pending":1}""");
    }

    [Fact]
    public async Task Health_ClockThatWasSetAYearAhead_SaysClock()
    {
        await using var host = await ApiHost.StartAsync(options => File.WriteAllText(Path.Combine(options.Folder, "clock.json"),
            $$"""{"Expected":"{{DateTimeOffset.UtcNow.AddYears(-1):O}}","Shown":null,"Ran":"00:00:00"}"""));
        await host.App.Services.GetRequiredService<ResultClock>().NowAsync(default);
        (await host.Client().GetStringAsync("/api/health")).Should().Be("""{"status":"clock","pending":0}""");
    }

    [Fact]
    public async Task SetFeedback_WithAndWithoutAName_IsKeptAndShown()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Write);
        var record = await host.StoreAsync(ResultsHost.Record(isAnomalous: true));
        var path = $"/api/results/{record.Id}/feedback";
        (await client.PutAsJsonAsync(path, new { kind = "FalseAlarm", by = "Ann" })).StatusCode.Should().Be(HttpStatusCode.NoContent);
        (await client.PutAsJsonAsync(path, new { kind = "Confirmed" })).StatusCode.Should().Be(HttpStatusCode.NoContent);
        (await client.GetFromJsonAsync<FeedbackEntry[]>(path))!.Select(entry => (entry.Kind, entry.By))
            .Should().Equal((FeedbackKind.FalseAlarm, "Ann"), (FeedbackKind.Confirmed, "line 1"));
    }

    [Fact]
    public async Task SetFeedback_ThatDoesNotFit_Is400Or404Or413()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Write);
        var record = await host.StoreAsync();
        var path = $"/api/results/{record.Id}/feedback";
        string[] bodies =
        [
            "", "null", "{}", """{"kind":"Bad"}""", """{"kind":9}""", """{"kind":"FalseAlarm"}""", """{"kind":"Confirmed","by":"\u0000"}""",
        ];
        foreach (var body in bodies)
        {
            (await client.PutAsync(path, Json(body))).StatusCode.Should().Be(HttpStatusCode.BadRequest, body);
        }

        (await client.PutAsync(path, Json(new string(' ', 5000)))).StatusCode.Should().Be(HttpStatusCode.RequestEntityTooLarge);
        (await client.PutAsJsonAsync($"/api/results/{InspectionRecord.NewId()}/feedback", new { kind = "Confirmed" })).StatusCode.Should()
            .Be(HttpStatusCode.NotFound);
        (await host.Store.FeedbackHistoryAsync(record.Id)).Should().BeEmpty();
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static MultipartFormDataContent Form(InspectionRecord record, byte[]? picture, string name)
    {
        var form = new MultipartFormDataContent { { JsonContent.Create(record), "record" } };
        if (picture is not null)
        {
            form.Add(new ByteArrayContent(picture), "picture", name);
        }

        return form;
    }

    private static string[] Files(ApiHost host) => [.. Directory.GetFiles(host.Folder, "*", SearchOption.AllDirectories)
        .Where(file => !file.Contains("journal", StringComparison.Ordinal) && !file.Contains("results.db", StringComparison.Ordinal))
        .Select(file => Path.GetFileName(file))];
}
