using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.KagPrompt.Results.AspNetCore;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.AspNetCore;

/// <summary>A program that serves results, and clients of it.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();

    private ApiHost(Action<KagPromptResultsOptions>? configure, Action<KagPromptResultsApiOptions>? configureApi)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddKagPromptResults(options =>
        {
            options.Folder = folder.Path;
            configure?.Invoke(options);
        });
        builder.Services.AddKagPromptResultsApi(configureApi);
        App = builder.Build();
        App.MapKagPromptResults("/api");
    }

    public WebApplication App { get; }

    public string Folder => folder.Path;

    public ApiKeys Keys => App.Services.GetRequiredService<ApiKeys>();

    public ResultRecorder Recorder => App.Services.GetRequiredService<ResultRecorder>();

    public IResultStore Store => App.Services.GetRequiredService<IResultStore>();

    public static async Task<ApiHost> StartAsync(Action<KagPromptResultsOptions>? configure = null, Action<KagPromptResultsApiOptions>? configureApi = null)
    {
        var host = new ApiHost(configure, configureApi);
        await host.App.StartAsync();
        return host;
    }

    public HttpClient Client(string? key = null)
    {
        var client = App.GetTestClient();
        client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public async Task<HttpClient> ClientAsync(ApiKeyRole role) => Client(await Keys.CreateAsync("line 1", role));

    public async Task<InspectionRecord> StoreAsync(InspectionRecord? record = null, byte[]? picture = null, ResultMap? map = null)
    {
        record ??= ResultsHost.Record();
        await Recorder.RecordAsync(record, picture, map);
        await Recorder.WhenStoredAsync();
        return record;
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        folder.Dispose();
    }
}
