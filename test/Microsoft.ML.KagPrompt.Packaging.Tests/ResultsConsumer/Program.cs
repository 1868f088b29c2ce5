// Records a result, reads it again, and asks for it over HTTP without and with a key.
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Results.AspNetCore;

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.Services.AddKagPromptResults(options => options.Folder = args[0]);
builder.Services.AddKagPromptResultsApi();
await using var app = builder.Build();
app.Urls.Add("http://127.0.0.1:0");
app.MapKagPromptResults("/api");
await app.StartAsync();

var recorder = app.Services.GetRequiredService<ResultRecorder>();
var record = new InspectionRecord
{
    Id = InspectionRecord.NewId(), Product = "bolt", ModelVersion = "1", Time = DateTimeOffset.UtcNow, Score = 0.5f, IsAnomalous = false,
};
await recorder.RecordAsync(record, new byte[] { 1, 2, 3 });
await recorder.WhenStoredAsync();
var found = await app.Services.GetRequiredService<IResultStore>().FindAsync(record.Id);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{found!.Product} {found.Score}"));

using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
Console.WriteLine((await client.GetAsync("/api/results")).StatusCode);
var key = await app.Services.GetRequiredService<ApiKeys>().CreateAsync("reader", ApiKeyRole.Read);
client.DefaultRequestHeaders.Add("Authorization", $"Bearer {key}");
Console.WriteLine((await client.GetAsync("/api/results")).StatusCode);
await app.StopAsync();
