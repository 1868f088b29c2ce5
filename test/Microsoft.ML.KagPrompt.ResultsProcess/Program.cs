// ResultsProcess record FOLDER DATABASE   records until it is killed, from several tasks at once; prints each id after it was acknowledged
// ResultsProcess migrate FOLDER DATABASE  makes the tables and ends
// DATABASE is an SQLite file, or a connection string of PostgreSQL
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.KagPrompt.Results;

var builder = Host.CreateEmptyApplicationBuilder(null);
builder.Services.AddKagPromptResults(options =>
{
    options.Folder = args[1];
    var isFile = args[2].EndsWith(".db", StringComparison.Ordinal);
    (options.SqlitePath, options.PostgresConnectionString) = (isFile ? args[2] : null, isFile ? null : args[2]);
    options.BatchSize = 20;
});
using var host = builder.Build();
await host.StartAsync();
if (args[0] == "migrate")
{
    await host.Services.GetRequiredService<IResultStore>().QueryAsync(ResultFilter.All);
    await host.StopAsync();
    return;
}

var recorder = host.Services.GetRequiredService<ResultRecorder>();
await Task.WhenAll(Enumerable.Range(0, 4).Select(task => Task.Run(async () =>
{
    for (var i = 0; ; i++)
    {
        var record = new InspectionRecord
        {
            Id = InspectionRecord.NewId(), Product = $"part{task}", ModelVersion = "1", Time = DateTimeOffset.UtcNow, Score = i, IsAnomalous = i % 7 == 0,
        };
        await recorder.RecordAsync(record, BitConverter.GetBytes((task * 1000) + (i % 50)));
        // Every third one again: it counts once.
        if (i % 3 == 0)
        {
            await recorder.RecordAsync(record);
        }

        await Console.Out.WriteLineAsync($"{record.Id}");
    }
})));
