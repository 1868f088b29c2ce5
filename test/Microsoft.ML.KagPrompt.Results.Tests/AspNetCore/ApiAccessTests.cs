using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.KagPrompt.Results.AspNetCore;

namespace Microsoft.ML.KagPrompt.Results.Tests.AspNetCore;

/// <summary>Who may do what.</summary>
public sealed class ApiAccessTests
{
    [Fact]
    public async Task EveryCallButHealth_WithoutAKey_Is401()
    {
        await using var host = await ApiHost.StartAsync();
        var calls = Calls(host).ToArray();
        calls.Should().HaveCountGreaterThan(10);
        foreach (var (method, path) in calls)
        {
            var answer = await host.Client().SendAsync(new HttpRequestMessage(method, path));
            answer.StatusCode.Should().Be(path.EndsWith("/health", StringComparison.Ordinal) ? HttpStatusCode.OK
                : HttpStatusCode.Unauthorized, path);
        }
    }

    [Fact]
    public async Task EveryCallThatChanges_WithAKeyThatReads_Is403()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        var changing = Calls(host).Where(call => call.Method != HttpMethod.Get).ToArray();
        changing.Should().HaveCount(2);
        foreach (var (method, path) in changing)
        {
            (await client.SendAsync(new HttpRequestMessage(method, path))).StatusCode.Should().Be(HttpStatusCode.Forbidden, path);
        }
    }

    [Fact]
    public async Task Key_WrongInAnyPart_Is401AndRightIs200()
    {
        await using var host = await ApiHost.StartAsync();
        var key = await host.Keys.CreateAsync("line 1", ApiKeyRole.Read);
        var other = await host.Keys.CreateAsync("line 2", ApiKeyRole.Read);
        // The last letter of a secret carries bits that are not of it.
        string[] wrong = [key[..^2] + (key[^2] == 'A' ? 'B' : 'A') + key[^1], other[..20] + key[20..], key[..^1], key + "A", key[..^5] + "!" + key[^4..], "kag_", "",
            key.ToUpperInvariant(), "KAG" + key[3..]];
        foreach (var text in wrong)
        {
            var answer = await host.Client(text).GetAsync("/api/results");
            answer.StatusCode.Should().Be(HttpStatusCode.Unauthorized, text);
            answer.Headers.WwwAuthenticate.ToString().Should().Be("Bearer");
        }

        (await host.Client(key).GetAsync("/api/results")).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Key_Revoked_IsRefusedAtTheNextRequest()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        (await client.GetAsync("/api/results")).StatusCode.Should().Be(HttpStatusCode.OK);
        // Another process, on the same file.
        var elsewhere = new ApiKeys(Path.Combine(host.Folder, "api-keys.json"));
        (await elsewhere.RevokeAsync(elsewhere.List().Single().Id)).Should().BeTrue();
        (await client.GetAsync("/api/results")).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task KeyFile_Damaged_LetsNobodyIn()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        await File.WriteAllTextAsync(Path.Combine(host.Folder, "api-keys.json"), "[{}]");
        (await client.GetAsync("/api/results")).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Requests_MoreThanTheLimit_Are429ForThatKeyAlone()
    {
        await using var host = await ApiHost.StartAsync(configureApi: options => options.RequestsPerMinute = 3);
        using var client = await host.ClientAsync(ApiKeyRole.Read);
        for (var i = 0; i < 3; i++)
        {
            (await client.GetAsync("/api/results")).StatusCode.Should().Be(HttpStatusCode.OK);
        }

        var refused = await client.GetAsync("/api/openapi/kagprompt-results.json");
        refused.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
        refused.Headers.RetryAfter!.Delta.Should().BePositive();
        using var other = await host.ClientAsync(ApiKeyRole.Read);
        (await other.GetAsync("/api/results")).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Recording_MoreThanTheLimit_Is429InWords()
    {
        await using var host = await ApiHost.StartAsync(configureApi: options => options.RequestsPerMinute = 2);
        using var client = await host.ClientAsync(ApiKeyRole.Write);
        for (var i = 0; i < 2; i++)
        {
            (await client.PostAsync("/api/results", new StringContent(""))).StatusCode.Should().NotBe(HttpStatusCode.TooManyRequests);
        }

        var refused = await client.PostAsync("/api/results", new StringContent(""));
        refused.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
        (await refused.Content.ReadAsStringAsync()).Should().Contain("Too many requests with this key.");
    }

    [Fact]
    public async Task WrongKeys_MoreThanTheLimit_Are429AndARightKeyIsLetIn()
    {
        await using var host = await ApiHost.StartAsync(configureApi: options => options.WrongKeysPerMinute = 3);
        for (var i = 0; i < 3; i++)
        {
            (await host.Client("kag_wrong").GetAsync("/api/results")).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        }

        var refused = await host.Client("kag_other").GetAsync("/api/results");
        refused.StatusCode.Should().Be(HttpStatusCode.TooManyRequests);
        refused.Headers.RetryAfter!.Delta.Should().BePositive();
        (await refused.Content.ReadAsStringAsync()).Should().Contain("Too many wrong keys from this address.");
        using var right = await host.ClientAsync(ApiKeyRole.Read);
        (await right.GetAsync("/api/results")).StatusCode.Should().Be(HttpStatusCode.OK);
    }

    /// <summary>Read off what is mapped, so that a new call is looked at, too.</summary>
    private static IEnumerable<(HttpMethod Method, string Path)> Calls(ApiHost host)
        => host.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().SelectMany(endpoint
            => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(method => (HttpMethod.Parse(method),
                "/" + endpoint.RoutePattern.RawText!.Trim('/').Replace("{id:guid}", $"{InspectionRecord.NewId()}")
                    .Replace("{documentName:regex(^kagprompt-results$)}", "kagprompt-results"))));
}
