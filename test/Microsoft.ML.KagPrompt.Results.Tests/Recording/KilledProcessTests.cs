using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Recording;

[Collection(PostgresCollection.Name)]
public sealed class KilledProcessTests(PostgresServer server) : IDisposable
{
    private const int Kills = 6;

    private readonly TemporaryFolder folder = new();

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Record_ProcessKilledAtRandomMoments_LosesNoAcknowledgedResultAndHasEachOnce(bool onPostgres)
    {
        var database = onPostgres ? server.NewDatabase() : folder.In("data", "results.db");
        var (random, acknowledged) = (new Random(onPostgres ? 2 : 1), new HashSet<Guid>());
        for (var kill = 0; kill < Kills; kill++)
        {
            // So many acknowledgements after the start it ends: counted, not timed.
            var after = random.Next(1, 400);
            var (process, error) = ResultsProcess.Start("record", folder.In("data"), database);
            using (process)
            {
                var before = acknowledged.Count;
                while (await process.StandardOutput.ReadLineAsync() is { } line)
                {
                    // The last line may be cut by the kill; what was printed whole was acknowledged.
                    if (Guid.TryParse(line, out var id))
                    {
                        acknowledged.Add(id);
                    }

                    if (acknowledged.Count - before == after)
                    {
                        process.Kill();
                    }
                }

                (await error).Should().BeEmpty();
                (acknowledged.Count - before).Should().BeGreaterThanOrEqualTo(after);
            }
        }

        await using var host = await ResultsHost.StartAsync(folder.In("data"), onPostgres ? database : null);
        await host.Recorder.WhenStoredAsync();
        var stored = new List<StoredResult>();
        await foreach (var result in host.Store.StreamAsync(ResultFilter.All))
        {
            stored.Add(result);
        }

        stored.Should().OnlyHaveUniqueItems(result => result.Id);
        acknowledged.Except(stored.Select(result => result.Id)).Should().BeEmpty("what was acknowledged is there");
        foreach (var hash in stored.Select(result => result.PictureHash!).Distinct())
        {
            (await host.Pictures.ReadPictureAsync(hash)).Should().HaveCount(sizeof(int), "a row's picture was on disk before the row");
        }
    }

    public void Dispose() => folder.Dispose();
}
