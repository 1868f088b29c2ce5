using Microsoft.Extensions.Time.Testing;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Retention;

public sealed class PictureSweepTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider time = ResultsHost.Clock();

    [Fact]
    public async Task Sweep_PicturesOlderThanTheDays_GoWithTheirMapsAndRowsStay()
    {
        await using var host = await StartAsync(options => options.PictureDays = 10);
        var old = await RecordAsync(host, "old");
        time.Advance(TimeSpan.FromDays(6));
        var young = await RecordAsync(host, "young");
        time.Advance(TimeSpan.FromDays(5));
        await host.Sweep.RunAsync(default);
        (await host.Pictures.ReadPictureAsync(old.PictureHash!)).Should().BeNull();
        (await host.Pictures.ReadMapAsync(old.MapHash!)).Should().BeNull();
        (await host.Pictures.ReadPictureAsync(young.PictureHash!)).Should().NotBeNull();
        (await host.Store.FindAsync(old.Id)).Should().Be(old);
    }

    [Fact]
    public async Task Sweep_FolderThatMeetsAnotherDatabase_DeletesNothing()
    {
        StoredResult old;
        await using (var host = await StartAsync(_ => { }))
        {
            old = await RecordAsync(host, "old");
        }

        time.Advance(TimeSpan.FromDays(30));
        await using var other = await StartAsync(options => options.SqlitePath = folder.In("other.db"));
        await other.Sweep.RunAsync(default);
        (await other.Pictures.ReadPictureAsync(old.PictureHash!)).Should().NotBeNull("its rows are elsewhere");
        await RecordAsync(other, "young");
        time.Advance(TimeSpan.FromDays(30));
        await other.Sweep.RunAsync(default);
        (await other.Pictures.ReadPictureAsync(old.PictureHash!)).Should().NotBeNull("it is older than any row");
    }

    [Fact]
    public async Task Retention_WhenItsIntervalIsOver_Sweeps()
    {
        await using var host = await StartAsync(options => options.PictureDays = 1);
        await RecordAsync(host, "old");
        time.Advance(TimeSpan.FromDays(2));
        await host.Log.SaysAsync("2 pictures and maps were deleted");
        Directory.GetFiles(folder.In("pictures"), "*", SearchOption.AllDirectories).Should().BeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sweep_PictureWithFeedback_GoesOnlyIfTold(bool told)
    {
        await using var host = await StartAsync(options => (options.PictureDays, options.PictureGigabytes,
            options.DeletePicturesWithFeedback) = (10, 1e-9, told));
        var said = await RecordAsync(host, "said");
        await host.Store.SetFeedbackAsync(said.Id, FeedbackKind.Confirmed, "Ann");
        // The same picture once more, of which nobody spoke.
        await RecordAsync(host, "said");
        time.Advance(TimeSpan.FromDays(20));
        await host.Sweep.RunAsync(default);
        ((await host.Pictures.ReadPictureAsync(said.PictureHash!)) is null).Should().Be(told);
        ((await host.Pictures.ReadMapAsync(said.MapHash!)) is null).Should().Be(told);
    }

    [Fact]
    public async Task Sweep_TooManyBytes_DeletesTheOldestUntilTheyFit()
    {
        await using var host = await StartAsync(options => options.PictureGigabytes = 25_000 / 1e9);
        var results = new List<StoredResult>();
        for (var i = 0; i < 4; i++)
        {
            results.Add(await RecordAsync(host, new string((char)('a' + i), 10_000), withMap: false));
            time.Advance(TimeSpan.FromMinutes(1));
        }

        // Recorded again: the youngest now.
        results[0] = await RecordAsync(host, new string('a', 10_000), withMap: false);
        await host.Sweep.RunAsync(default);
        var there = await Task.WhenAll(results.Select(async result
            => await host.Pictures.ReadPictureAsync(result.PictureHash!) is not null));
        there.Should().Equal(true, false, false, true);
    }

    [Fact]
    public async Task Sweep_TooManyToPutInOrderAtOnce_StillDeletesTheOldestAlone()
    {
        await using var host = await StartAsync(options => options.PictureGigabytes = 65_000 / 1e9);
        host.Sweep.MostInOrder = 2;
        var results = new List<StoredResult>();
        for (var i = 0; i < 9; i++)
        {
            results.Add(await RecordAsync(host, new string((char)('a' + i), 10_000), withMap: false));
            time.Advance(TimeSpan.FromMinutes(1));
        }

        // More than are put in order at a time stay, whatever their age.
        foreach (var spoken in results.Take(3))
        {
            await host.Store.SetFeedbackAsync(spoken.Id, FeedbackKind.Confirmed, "Ann");
        }

        await host.Sweep.RunAsync(default);
        var there = await Task.WhenAll(results.Select(async result
            => await host.Pictures.ReadPictureAsync(result.PictureHash!) is not null));
        there.Should().Equal(true, true, true, false, false, false, true, true, true);
    }

    [Fact]
    public async Task Sweep_PictureWhoseRowNeverCame_GoesOnceItIsOldEnough()
    {
        await using var host = await StartAsync();
        var orphan = host.Pictures.Pictures.Write("orphan"u8.ToArray());
        var kept = await RecordAsync(host, "kept");
        File.WriteAllText(folder.In("pictures", "unfinished.tmp"), "");
        File.SetLastWriteTimeUtc(folder.In("pictures", "unfinished.tmp"), time.GetUtcNow().UtcDateTime);
        await host.Sweep.RunAsync(default);
        (await host.Pictures.ReadPictureAsync(orphan)).Should().NotBeNull("its row may be on the way");
        time.Advance(TimeSpan.FromDays(1.1));
        await host.Sweep.RunAsync(default);
        (await host.Pictures.ReadPictureAsync(orphan)).Should().BeNull();
        (await host.Pictures.ReadPictureAsync(kept.PictureHash!)).Should().NotBeNull();
        File.Exists(folder.In("pictures", "unfinished.tmp")).Should().BeFalse();
    }

    [Fact]
    public async Task Sweep_RowStillInTheJournal_KeepsThePictureHoweverLongItWaits()
    {
        // Its services do not run: nothing leaves the journal.
        await using var host = ResultsHost.Idle(folder.Path, time: time);
        await host.Recorder.RecordAsync(ResultsHost.Record(), "waits"u8.ToArray());
        time.Advance(TimeSpan.FromDays(30));
        await host.Sweep.RunAsync(default);
        Directory.GetFiles(folder.In("pictures"), "*", SearchOption.AllDirectories).Should().ContainSingle();
    }

    [Fact]
    public async Task Sweep_DatabaseAway_DeletesNothing()
    {
        await using var host = ResultsHost.Idle(folder.Path, options
            => (options.PictureDays, options.PostgresConnectionString) = (1, $"Host={folder.Path}"), time);
        var hash = host.Pictures.Pictures.Write("picture"u8.ToArray());
        time.Advance(TimeSpan.FromDays(30));
        await host.Sweep.Awaiting(sweep => sweep.RunAsync(default)).Should().ThrowAsync<Exception>();
        (await host.Pictures.ReadPictureAsync(hash)).Should().NotBeNull();
    }

    public void Dispose() => folder.Dispose();

    private Task<ResultsHost> StartAsync(Action<KagPromptResultsOptions>? configure = null)
        => ResultsHost.StartAsync(folder.Path, null, configure, time);

    private async Task<StoredResult> RecordAsync(ResultsHost host, string picture, bool withMap = true)
    {
        var record = ResultsHost.Record(time: time.GetUtcNow());
        var bytes = System.Text.Encoding.UTF8.GetBytes(picture);
        await host.Recorder.RecordAsync(record, bytes, withMap
            ? new ResultMap(bytes.Select(value => (float)value).ToArray(), 1, bytes.Length) : null);
        await host.Recorder.WhenStoredAsync();
        return (await host.Store.FindAsync(record.Id))!;
    }
}
