using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.ML.KagPrompt.Results.Recording;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Recording;

/// <summary>A server of its own, as it is stopped.</summary>
public sealed class DatabaseAwayTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [SkippableFact]
    public async Task Record_ServerStoppedUnderLoad_GoesOnAndLosesAndRepeatsNothing()
    {
        using var server = new PostgresServer();
        await using var host = await ResultsHost.StartAsync(folder.Path, server.NewDatabase(), options
            => (options.BatchSize, options.MaxRetryDelay) = (10, TimeSpan.FromSeconds(1)));
        using var recorded = new SemaphoreSlim(0);
        using var stop = new CancellationTokenSource();
        var ids = new ConcurrentQueue<Guid>();
        var load = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var record = ResultsHost.Record();
                await host.Recorder.RecordAsync(record);
                ids.Enqueue(record.Id);
                recorded.Release();
            }
        })));
        for (var round = 0; round < 2; round++)
        {
            await FurtherAsync(50);
            server.Stop();
            await host.Log.SaysAsync("The database took no results");
            await FurtherAsync(50);
            host.Recorder.Pending.Should().BePositive();
            server.Start();
        }

        await stop.CancelAsync();
        await load;
        await host.Recorder.WhenStoredAsync();
        var stored = new List<Guid>();
        await foreach (var result in host.Store.StreamAsync(ResultFilter.All))
        {
            stored.Add(result.Id);
        }

        stored.Should().OnlyHaveUniqueItems();
        stored.ToHashSet().SetEquals(ids).Should().BeTrue();

        async Task FurtherAsync(int count)
        {
            while (recorded.Wait(0))
            {
            }

            for (var i = 0; i < count; i++)
            {
                await recorded.WaitAsync();
            }
        }
    }

    [SkippableFact]
    public async Task Start_ServerAway_RecordsAndStoresWhenItComes()
    {
        using var server = new PostgresServer();
        var database = server.NewDatabase();
        server.Stop();
        await using var host = await ResultsHost.StartAsync(folder.Path, database, options
            => options.MaxRetryDelay = TimeSpan.FromSeconds(1));
        var record = ResultsHost.Record();
        await host.Recorder.RecordAsync(record);
        await host.Log.SaysAsync("The database took no results");
        await host.Store.Awaiting(store => store.FindAsync(record.Id)).Should().ThrowAsync<Exception>();
        server.Start();
        await host.Recorder.WhenStoredAsync();
        (await host.Store.FindAsync(record.Id)).Should().NotBeNull();
    }

    [Fact]
    public async Task Record_FileLocked_GoesOnAndStoresAfterwards()
    {
        await using var host = await ResultsHost.StartAsync(folder.Path);
        await host.StoreAsync(ResultsHost.Record());
        var records = Enumerable.Range(0, 30).Select(_ => ResultsHost.Record()).ToArray();
        using (var other = new SqliteConnection($"Data Source={folder.In("results.db")};Pooling=False"))
        {
            other.Open();
            using var hold = other.CreateCommand();
            hold.CommandText = "BEGIN EXCLUSIVE";
            hold.ExecuteNonQuery();
            foreach (var record in records)
            {
                await host.Recorder.RecordAsync(record);
            }

            host.Recorder.Pending.Should().Be(30);
            await host.Log.SaysAsync("The database took no results");
        }

        await host.Recorder.WhenStoredAsync();
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Should().HaveCount(31);
    }

    [Fact]
    public async Task Record_AResultTheDatabaseWillNeverTake_IsSetAsideAndHoldsUpNoOther()
    {
        await using var host = await ResultsHost.StartAsync(folder.Path);
        await using (var context = await host.Database.OpenAsync(default))
        {
            // Any rule of the database that this version does not know.
            await context.Database.ExecuteSqlRawAsync(
                "CREATE TRIGGER refuse BEFORE INSERT ON results WHEN NEW.\"Product\" = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
        }

        // Waits in the journal as one batch.
        var (first, bad, last) = (ResultsHost.Record(), ResultsHost.Record("bad"), ResultsHost.Record());
        await Task.WhenAll(new[] { first, bad, last }.Select(record => host.Recorder.RecordAsync(record)));
        await host.Recorder.WhenStoredAsync();
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Select(result => result.Id).Should().BeEquivalentTo([first.Id, last.Id]);
        JournalEntry.Parse(File.ReadAllBytes(folder.In("rejected.jsonl"))).Record.Should().Be(RecordCheck.Checked(bad));
        host.Log.Words.Should().Contain(word => word.Contains("will not take a result"));
    }

    public void Dispose() => folder.Dispose();
}
