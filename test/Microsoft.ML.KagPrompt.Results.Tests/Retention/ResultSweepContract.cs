using Microsoft.Extensions.Time.Testing;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Retention;

/// <summary>Which results go, and when, whatever the database.</summary>
public abstract class ResultSweepContract : IDisposable
{
    private static readonly byte[] Old = "old"u8.ToArray();
    private static readonly byte[] Shared = "old and young"u8.ToArray();

    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider time = ResultsHost.Clock();

    [SkippableFact]
    public async Task Sweep_ResultsOlderThanTheDays_GoWithAllThatBelongsToThemAndTheRestIsCountedRight()
    {
        await using var host = await StartAsync(options => options.ResultDays = 30);
        var old = Record(1);
        await host.Recorder.RecordAsync(old, Old, new ResultMap(new[] { 1f }, 1, 1));
        var (sharing, takenBack, spoken) = (Record(2), Record(3), Record(4));
        await host.Recorder.RecordAsync(sharing, Shared);
        await host.StoreAsync(takenBack, spoken);
        await host.Store.SetFeedbackAsync(takenBack.Id, FeedbackKind.Missed, "Ann");
        await host.Store.SetFeedbackAsync(takenBack.Id, FeedbackKind.None, "Ann");
        await host.Store.SetFeedbackAsync(spoken.Id, FeedbackKind.Missed, "Ann");
        var before = (await host.Store.FindAsync(old.Id))!;
        time.Advance(TimeSpan.FromDays(29));
        var young = Record(10);
        await host.Recorder.RecordAsync(young, Shared);
        await host.Recorder.WhenStoredAsync();

        await host.SweepAsync();
        (await host.Store.FindAsync(old.Id)).Should().Be(before, "it is 29 days old");

        time.Advance(TimeSpan.FromDays(1.5));
        await host.SweepAsync();
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Select(result => result.Id).Should().Equal(young.Id, spoken.Id);
        (await host.Store.FeedbackHistoryAsync(takenBack.Id)).Should().BeEmpty();
        (await host.Store.FeedbackHistoryAsync(spoken.Id)).Should().ContainSingle();
        (await host.Store.SetFeedbackAsync(old.Id, FeedbackKind.Missed, "Ann")).Should().BeFalse();
        (await host.Store.QuantilesAsync(ResultFilter.All, [0, 0.5, 1])).Should().Equal(4, 7, 10);
        (await host.Store.CountByHourAsync(ResultFilter.All)).Sum(hour => hour.Total).Should().Be(2);
        (await host.Pictures.ReadPictureAsync(before.PictureHash!)).Should().BeNull();
        (await host.Pictures.ReadMapAsync(before.MapHash!)).Should().BeNull();
        var kept = (await host.Store.FindAsync(young.Id))!;
        (await host.Pictures.ReadPictureAsync(kept.PictureHash!)).Should().Equal(Shared, "a younger result has it, too");
    }

    [SkippableFact]
    public async Task Sweep_NoDays_RemovesNothing()
    {
        await using var host = await StartAsync(_ => { });
        await host.StoreAsync(Record(1));
        time.Advance(TimeSpan.FromDays(20_000));
        await host.SweepAsync();
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Should().ContainSingle();
    }

    [SkippableFact]
    public async Task Sweep_DaysOfFeedback_AreOfThoseThatWereSpokenOfAlone()
    {
        await using var host = await StartAsync(options => (options.ResultDays, options.ResultDaysWithFeedback) = (10, 40));
        var (silent, spoken) = (Record(1), Record(2));
        await host.StoreAsync(silent, spoken);
        await host.Store.SetFeedbackAsync(spoken.Id, FeedbackKind.Missed, "Ann");
        time.Advance(TimeSpan.FromDays(39));
        await host.SweepAsync();
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Select(result => result.Id).Should().Equal(spoken.Id);
        time.Advance(TimeSpan.FromDays(2));
        await host.SweepAsync();
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Should().BeEmpty();
        (await host.Store.FeedbackHistoryAsync(spoken.Id)).Should().BeEmpty();
    }

    [SkippableFact]
    public async Task Sweep_MoreThanOneTransactionTakes_RemovesAllButThoseThatStay()
    {
        // The service does not look through meanwhile: one pass removes them all.
        await using var host = await StartAsync(options => (options.ResultDays, options.BatchSize, options.RetentionInterval)
            = (1, 10_000, TimeSpan.FromDays(7)));
        // Of one time, so that the id has to decide; spoken of are the first ones, which stay before the others.
        var records = Enumerable.Range(0, 2_300).Select(_ => Record(1)).OrderBy(record => record.Id.ToString(), StringComparer.Ordinal)
            .ToArray();
        await Task.WhenAll(records.Select(record => host.Recorder.RecordAsync(record)));
        await host.Recorder.WhenStoredAsync();
        foreach (var record in records.Take(5))
        {
            await host.Store.SetFeedbackAsync(record.Id, FeedbackKind.Missed, "Ann");
        }

        time.Advance(TimeSpan.FromDays(3));
        await host.SweepAsync();
        (await host.Store.QueryAsync(ResultFilter.All, ResultOrder.Oldest, 1000)).Results.Select(result => result.Id).Should()
            .Equal(records.Take(5).Select(record => record.Id));
    }

    [SkippableFact]
    public async Task Record_AgainAfterItWent_DoesNotComeBack()
    {
        await using var host = await StartAsync(options => options.ResultDays = 10);
        var record = Record(1);
        await host.StoreAsync(record);
        time.Advance(TimeSpan.FromDays(10) + TimeSpan.FromMinutes(61));
        await host.SweepAsync();
        // Clocks are set back by a little now and then.
        time.AdjustTime(time.GetUtcNow() - TimeSpan.FromMinutes(60));
        var young = Record(2);
        await host.StoreAsync(record, young);
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Select(result => result.Id).Should().Equal(young.Id);
        host.Log.Words.Should().Contain(word => word.StartsWith("Warning: 1 results from before") && word.Contains("ResultDays"));
    }

    [SkippableFact]
    public async Task Sweep_RowAtTheLimit_StaysAnHourLongerThanOneIsTakenIn()
    {
        await using var host = await StartAsync(options => options.ResultDays = 10);
        var record = Record(1);
        await host.StoreAsync(record);
        time.Advance(TimeSpan.FromDays(10) + TimeSpan.FromMinutes(50));
        await host.SweepAsync();
        (await host.Store.FindAsync(record.Id)).Should().NotBeNull();
        await host.StoreAsync(Record(2) with { Time = record.Time });
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Should().ContainSingle("a new one of that time is too old");
        time.Advance(TimeSpan.FromMinutes(20));
        await host.SweepAsync();
        (await host.Store.FindAsync(record.Id)).Should().BeNull();
    }

    [SkippableFact]
    public async Task Retention_WhenItsIntervalIsOver_RemovesRowsAndThenTheirPictures()
    {
        await using var host = await StartAsync(options => options.ResultDays = 1);
        await host.Recorder.RecordAsync(Record(1), Old);
        await host.Recorder.WhenStoredAsync();
        time.Advance(TimeSpan.FromDays(3));
        await host.Log.SaysAsync("1 results from before");
        await host.Log.SaysAsync("1 pictures and maps were deleted");
    }

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A new database's connection string; null: SQLite.</summary>
    protected abstract string? NewDatabase();

    private InspectionRecord Record(float score) => ResultsHost.Record(score: score, time: time.GetUtcNow());

    private Task<ResultsHost> StartAsync(Action<KagPromptResultsOptions> configure)
        => ResultsHost.StartAsync(folder.Path, NewDatabase(), configure, time);
}

public sealed class SqliteSweepTests : ResultSweepContract
{
    protected override string? NewDatabase() => null;
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresSweepTests(PostgresServer server) : ResultSweepContract
{
    protected override string? NewDatabase() => server.NewDatabase();
}
