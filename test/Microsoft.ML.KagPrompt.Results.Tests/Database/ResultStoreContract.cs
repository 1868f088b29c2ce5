using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Database;

/// <summary>What the store promises, whatever the database.</summary>
public abstract class ResultStoreContract : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder folder = new();

    [SkippableFact]
    public async Task Find_ARecordedResult_IsWhatWasRecorded()
    {
        await using var host = await StartAsync();
        var record = new InspectionRecord
        {
            Id = InspectionRecord.NewId(), Product = "Bolzen \"M8\" — ✓", ModelVersion = "7", ModelHash = new string('a', 64),
            Time = new DateTimeOffset(2026, 3, 1, 13, 30, 15, 123, 456, TimeSpan.FromHours(1)).AddTicks(7), Score = 0.1f, Probability = 1f / 3,
            Threshold = 0.7f, IsAnomalous = true, IsForeign = true, Reason = "unlike", CycleTime = TimeSpan.FromMicroseconds(1_234_567), Line = "L1",
            Station = "S2",
        };
        await host.Recorder.RecordAsync(record, "picture"u8.ToArray(), new ResultMap(new[] { 0.5f, float.NaN }, 1, 2));
        await host.Recorder.WhenStoredAsync();
        var found = (await host.Store.FindAsync(record.Id))!;
        found.Should().BeEquivalentTo(record, same => same.Excluding(result => result.Time));
        found.Time.Should().Be(record.Time.AddTicks(-7)).And.Be(new DateTimeOffset(2026, 3, 1, 12, 30, 15, 123, 456, TimeSpan.Zero));
        found.Time.Offset.Should().Be(TimeSpan.Zero);
        found.Feedback.Should().Be(FeedbackKind.None);
        (await host.Pictures.ReadPictureAsync(found.PictureHash!)).Should().Equal("picture"u8.ToArray());
        (await host.Pictures.ReadMapAsync(found.MapHash!))!.Values.ToArray().Should().Equal(0.5f, float.NaN);
        (await host.Store.FindAsync(InspectionRecord.NewId())).Should().BeNull();
    }

    [SkippableFact]
    public async Task Record_TheSameIdAgain_CountsOnceAndTheFirstStays()
    {
        await using var host = await StartAsync();
        var record = ResultsHost.Record(score: 1);
        await host.StoreAsync(record, record with { Score = 2 }, ResultsHost.Record());
        await host.StoreAsync(record with { Score = 3 });
        (await host.Store.FindAsync(record.Id))!.Score.Should().Be(1);
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Should().HaveCount(2);
    }

    [SkippableFact]
    public async Task Query_EachFilter_GivesItsOwnAlone()
    {
        await using var host = await StartAsync();
        var good = ResultsHost.Record("bolt", 0.1f, time: Noon) with { Line = "A", Station = "1" };
        var bad = ResultsHost.Record("bolt", 0.9f, isAnomalous: true, time: Noon.AddHours(1));
        var foreign = ResultsHost.Record("nut", 0.2f, isAnomalous: true, time: Noon.AddHours(2)) with { IsForeign = true };
        await host.StoreAsync(good, bad, foreign);
        await host.Store.SetFeedbackAsync(bad.Id, FeedbackKind.FalseAlarm, "Ann");
        (ResultFilter Filter, InspectionRecord[] Expected)[] cases =
        [
            (new(), [foreign, bad, good]),
            (new() { Product = "bolt" }, [bad, good]),
            (new() { Product = "BOLT" }, []),
            (new() { From = Noon.AddHours(1) }, [foreign, bad]),
            (new() { To = Noon.AddHours(1) }, [good]),
            (new() { Verdict = ResultVerdict.Passed }, [good]),
            (new() { Verdict = ResultVerdict.Anomalous }, [foreign, bad]),
            (new() { Verdict = ResultVerdict.Foreign }, [foreign]),
            (new() { Feedback = FeedbackKind.FalseAlarm }, [bad]),
            (new() { Feedback = FeedbackKind.None }, [foreign, good]),
            (new() { Line = "A" }, [good]),
            (new() { Station = "2" }, []),
            (new() { Product = "bolt", Verdict = ResultVerdict.Anomalous, From = Noon, To = Noon.AddHours(2) }, [bad]),
        ];
        foreach (var (filter, expected) in cases)
        {
            (await host.Store.QueryAsync(filter)).Results.Select(result => result.Id).Should().Equal(expected.Select(record => record.Id), filter.ToString());
        }
    }

    [SkippableTheory]
    [InlineData(ResultOrder.Newest)]
    [InlineData(ResultOrder.Oldest)]
    [InlineData(ResultOrder.WorstFirst)]
    public async Task Query_PageByPageWhileOthersCome_GivesEachOnceInOrder(ResultOrder order)
    {
        await using var host = await StartAsync();
        // Times and scores are shared, so that the id has to decide.
        var records = Enumerable.Range(0, 23).Select(i => ResultsHost.Record(score: i % 4, time: Noon.AddMinutes(i % 3))).ToArray();
        await host.StoreAsync(records);
        var (seen, after) = (new List<StoredResult>(), (string?)null);
        do
        {
            var page = await host.Store.QueryAsync(ResultFilter.All, order, 5, after);
            seen.AddRange(page.Results);
            after = page.Next;
            // Comes before what was seen already, in every order.
            await host.StoreAsync(ResultsHost.Record(score: 100, time: order == ResultOrder.Oldest ? Noon.AddDays(-1) : Noon.AddDays(1)));
        }
        while (after is not null);
        var ids = records.Select(record => (record, Text: record.Id.ToString()));
        var expected = order switch
        {
            ResultOrder.Newest => ids.OrderByDescending(each => each.record.Time).ThenByDescending(each => each.Text, StringComparer.Ordinal),
            ResultOrder.Oldest => ids.OrderBy(each => each.record.Time).ThenBy(each => each.Text, StringComparer.Ordinal),
            _ => ids.OrderByDescending(each => each.record.Score).ThenByDescending(each => each.Text, StringComparer.Ordinal),
        };
        seen.Select(result => result.Id).Should().Equal(expected.Select(each => each.record.Id));
        (await host.Store.QueryAsync(ResultFilter.All, order, 28)).Next.Should().BeNull("a full last page is the last one");
    }

    [SkippableFact]
    public async Task Query_WhatIsOfNoPage_IsRefused()
    {
        await using var host = await StartAsync();
        await host.StoreAsync(ResultsHost.Record(), ResultsHost.Record());
        var next = (await host.Store.QueryAsync(ResultFilter.All, ResultOrder.Newest, 1)).Next!;
        foreach (var (order, size, after) in new[]
        {
            (ResultOrder.Oldest, 1, next), (ResultOrder.Newest, 1, next[1..]), (ResultOrder.Newest, 1, "'; DROP TABLE results"),
            (ResultOrder.Newest, 0, null), (ResultOrder.Newest, 1001, null), ((ResultOrder)9, 1, null),
        })
        {
            await host.Store.Invoking(store => store.QueryAsync(ResultFilter.All, order, size, after)).Should().ThrowAsync<ArgumentException>();
        }
    }

    [SkippableFact]
    public async Task SetFeedback_SeveralTimes_KeepsTheHistoryAndShowsTheLast()
    {
        var time = ResultsHost.Clock();
        await using var host = await StartAsync(time);
        var record = ResultsHost.Record(isAnomalous: true);
        await host.Recorder.RecordAsync(record);
        await host.Recorder.WhenStoredAsync();
        var first = time.GetUtcNow();
        (await host.Store.SetFeedbackAsync(record.Id, FeedbackKind.FalseAlarm, "Ann")).Should().BeTrue();
        time.Advance(TimeSpan.FromMinutes(1));
        (await host.Store.SetFeedbackAsync(record.Id, FeedbackKind.Confirmed, "Bob")).Should().BeTrue();
        var found = (await host.Store.FindAsync(record.Id))!;
        (found.Feedback, found.FeedbackBy, found.FeedbackAt).Should().Be((FeedbackKind.Confirmed, "Bob", first.AddMinutes(1)));
        await host.Store.SetFeedbackAsync(record.Id, FeedbackKind.None, "Bob");
        found = (await host.Store.FindAsync(record.Id))!;
        (found.Feedback, found.FeedbackBy, found.FeedbackAt).Should().Be((FeedbackKind.None, null, null));
        (await host.Store.FeedbackHistoryAsync(record.Id)).Should().Equal(
            new FeedbackEntry(FeedbackKind.FalseAlarm, "Ann", first), new FeedbackEntry(FeedbackKind.Confirmed, "Bob", first.AddMinutes(1)),
            new FeedbackEntry(FeedbackKind.None, "Bob", first.AddMinutes(1)));
    }

    [SkippableFact]
    public async Task SetFeedback_ThatDoesNotFit_IsRefusedAndNotKept()
    {
        await using var host = await StartAsync();
        var (passed, rejected) = (ResultsHost.Record(), ResultsHost.Record(isAnomalous: true));
        await host.StoreAsync(passed, rejected);
        (await host.Store.SetFeedbackAsync(InspectionRecord.NewId(), FeedbackKind.Confirmed, "Ann")).Should().BeFalse();
        foreach (var (id, kind, by) in new[]
        {
            (passed.Id, FeedbackKind.FalseAlarm, "Ann"), (rejected.Id, FeedbackKind.Missed, "Ann"), (passed.Id, (FeedbackKind)9, "Ann"),
            (passed.Id, FeedbackKind.Confirmed, ""), (passed.Id, FeedbackKind.Confirmed, "a\0b"), (passed.Id, FeedbackKind.Confirmed, new string('a', 101)),
        })
        {
            await host.Store.Invoking(store => store.SetFeedbackAsync(id, kind, by)).Should().ThrowAsync<ArgumentException>();
            (await host.Store.FeedbackHistoryAsync(id)).Should().BeEmpty();
        }
    }

    [SkippableFact]
    public async Task CountByHour_ResultsAroundAnHour_FallIntoTheirOwn()
    {
        await using var host = await StartAsync();
        await host.StoreAsync(
            ResultsHost.Record(time: Noon), ResultsHost.Record(time: Noon.AddHours(1).AddTicks(-10), isAnomalous: true),
            ResultsHost.Record(time: Noon.AddHours(1), isAnomalous: true) with { IsForeign = true }, ResultsHost.Record("nut", time: Noon.AddDays(2)));
        (await host.Store.CountByHourAsync(ResultFilter.All)).Should().Equal(
            new HourlyCount(Noon, 2, 1, 0), new HourlyCount(Noon.AddHours(1), 1, 1, 1), new HourlyCount(Noon.AddDays(2), 1, 0, 0));
        (await host.Store.CountByHourAsync(new() { Product = "nut" })).Should().Equal(new HourlyCount(Noon.AddDays(2), 1, 0, 0));
    }

    [SkippableFact]
    public async Task Quantiles_OfKnownScores_LieBetweenNeighbours()
    {
        await using var host = await StartAsync();
        await host.StoreAsync([.. new[] { 4f, 1, 3, 2 }.Select(score => ResultsHost.Record(score: score)), ResultsHost.Record("nut", 9)]);
        (await host.Store.QuantilesAsync(new() { Product = "bolt" }, [0, 0.5, 0.9, 1])).Should().Equal([1, 2.5, 3.7, 4], (one, other) => Math.Abs(one - other) < 1e-9);
        (await host.Store.QuantilesAsync(new() { Product = "none" }, [0.5])).Should().BeEmpty();
        await host.Store.Invoking(store => store.QuantilesAsync(ResultFilter.All, [double.NaN])).Should().ThrowAsync<ArgumentException>();
    }

    [SkippableFact]
    public async Task Stream_MoreThanAPage_GivesAllInOrder()
    {
        await using var host = await StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 1003).Select(i => host.Recorder.RecordAsync(ResultsHost.Record(time: Noon.AddSeconds(i)))));
        await host.Recorder.WhenStoredAsync();
        var times = new List<DateTimeOffset>();
        await foreach (var result in host.Store.StreamAsync(ResultFilter.All))
        {
            times.Add(result.Time);
        }

        times.Should().Equal(Enumerable.Range(0, 1003).Select(i => Noon.AddSeconds(i)));
    }

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A new database's connection string; null: SQLite.</summary>
    protected abstract string? NewDatabase();

    private Task<ResultsHost> StartAsync(TimeProvider? time = null) => ResultsHost.StartAsync(folder.Path, NewDatabase(), time: time);
}

public sealed class SqliteStoreTests : ResultStoreContract
{
    protected override string? NewDatabase() => null;
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresStoreTests(PostgresServer server) : ResultStoreContract
{
    protected override string? NewDatabase() => server.NewDatabase();
}
