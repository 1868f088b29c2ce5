using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Retention;

/// <summary>A machine's clock is set to another time, and nothing is lost by it.</summary>
public sealed class ResultClockTests : IDisposable
{
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);

    private readonly TemporaryFolder folder = new();
    private readonly SetClock time = new();

    [Fact]
    public async Task Sweep_ClockSetAYearAheadAndBack_RemovesNothingAndSaysIt()
    {
        await using var host = await StartAsync(options => options.RetentionInterval = TimeSpan.FromMinutes(1));
        var before = await host.StoreAsync("before");
        time.Ahead = Year;
        // What waited in the journal, or is recorded again, is from before.
        var waited = await host.StoreAsync("waited", before.Time);
        var meanwhile = await host.StoreAsync("meanwhile");
        await host.SweepAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        await host.Log.SaysAsync("Warning: The machine's clock shows 2027-03-01T12:01:00.0000000+00:00, but 2026-03-01T12:01:00.0000000");
        host.ResultClock.Doubt.Should().Be(new ClockDoubt(time.GetUtcNow(), time.GetUtcNow() - Year, TimeSpan.FromHours(72)
            - TimeSpan.FromMinutes(1)));
        time.Ahead = TimeSpan.Zero;
        await host.SweepAsync();
        host.ResultClock.Doubt.Should().BeNull();
        foreach (var result in (StoredResult[])[before, waited, meanwhile])
        {
            (await host.Store.FindAsync(result.Id)).Should().Be(result);
            (await host.Pictures.ReadPictureAsync(result.PictureHash!)).Should().NotBeNull();
        }

        // Days are counted as ever. The one of the year to come has a year more.
        time.Advance(TimeSpan.FromDays(31));
        await host.SweepAsync();
        (await host.Store.QueryAsync(ResultFilter.All)).Results.Select(result => result.Id).Should().Equal(meanwhile.Id);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no file")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"Expected":"2026-03-01T12:00:00+00:00","Shown":"2027-03-01T12:00:00+00:00","Ran":"80.00:00:00"}""")]
    public async Task Start_ClockSetAYearAheadMeanwhile_RemovesNothing(string? clockFile)
    {
        StoredResult result;
        await using (var host = await StartAsync())
        {
            result = await host.StoreAsync("before");
        }

        time.Ahead = Year;
        if (clockFile == "no file")
        {
            File.Delete(folder.In("clock.json"));
        }
        else if (clockFile is not null)
        {
            File.WriteAllText(folder.In("clock.json"), clockFile);
        }

        await using var later = await StartAsync();
        await later.SweepAsync();
        (await later.Store.FindAsync(result.Id)).Should().Be(result);
        (await later.Pictures.ReadPictureAsync(result.PictureHash!)).Should().NotBeNull();
        later.ResultClock.Doubt!.Remaining.Should().Be(TimeSpan.FromHours(72));
    }

    [Fact]
    public async Task Start_AfterALongHoliday_TakesNineShiftsUntilTheClockIsBelieved()
    {
        await using (var host = await StartAsync())
        {
            await host.StoreAsync("before");
        }

        time.Advance(TimeSpan.FromDays(60));
        for (var shift = 1; shift <= 9; shift++)
        {
            await using (var host = await StartAsync())
            {
                (await host.Store.QueryAsync(ResultFilter.All)).Results.Should().ContainSingle($"shift {shift} has begun");
                time.Advance(TimeSpan.FromHours(8));
                await host.SweepAsync();
                (await host.Store.QueryAsync(ResultFilter.All)).Results.Should().HaveCount(shift < 9 ? 1 : 0, $"shift {shift} has ended");
                Directory.GetFiles(folder.In("pictures"), "*", SearchOption.AllDirectories).Should().HaveCount(shift < 9 ? 1 : 0);
            }

            // Off at night, and for a weekend.
            time.Advance(TimeSpan.FromHours(shift == 4 ? 64 : 16));
        }
    }

    [Fact]
    public async Task Start_AfterAWeekend_BelievesTheClockAtOnce()
    {
        await using (var host = await StartAsync())
        {
            await host.StoreAsync("before");
        }

        time.Advance(TimeSpan.FromDays(3.5));
        await using var later = await StartAsync();
        await later.SweepAsync();
        later.ResultClock.Doubt.Should().BeNull();
        // From here on it is known how long the machine stood still.
        time.Ahead = TimeSpan.FromHours(2);
        later.ResultClock.Doubt.Should().NotBeNull();
    }

    [Fact]
    public async Task Doubt_ClockThatIsSetOnceMore_BeginsAnew()
    {
        await using var host = ResultsHost.Idle(folder.Path, time: time);
        await host.ResultClock.NowAsync(default);
        time.Ahead = Year;
        host.ResultClock.Doubt!.Remaining.Should().Be(TimeSpan.FromHours(72));
        time.Advance(TimeSpan.FromHours(70));
        time.Ahead = Year - TimeSpan.FromDays(1);
        host.ResultClock.Doubt!.Remaining.Should().Be(TimeSpan.FromHours(72), "it was set back");
        time.Advance(TimeSpan.FromHours(70));
        time.Ahead = 3 * Year;
        host.ResultClock.Doubt!.Remaining.Should().Be(TimeSpan.FromHours(72), "it was set ahead by more than it was");
        time.Advance(TimeSpan.FromHours(70));
        time.Ahead += TimeSpan.FromHours(14);
        host.ResultClock.Doubt!.Remaining.Should().Be(TimeSpan.FromHours(2), "the machine slept for a night");
        (await host.ResultClock.NowAsync(default)).Should().Be((time.GetUtcNow() - time.Ahead).UtcDateTime);
        time.Advance(TimeSpan.FromHours(2));
        host.ResultClock.Doubt.Should().BeNull();
        (await host.ResultClock.NowAsync(default)).Should().Be(time.GetUtcNow().UtcDateTime);
    }

    [Fact]
    public async Task Doubt_ClockThatIsBehind_CountsDaysByIt()
    {
        await using var host = ResultsHost.Idle(folder.Path, time: time);
        await host.ResultClock.NowAsync(default);
        time.Ahead = -Year;
        (await host.ResultClock.NowAsync(default)).Should().Be(time.GetUtcNow().UtcDateTime);
        host.ResultClock.Doubt.Should().Be(new ClockDoubt(time.GetUtcNow(), time.GetUtcNow() + Year, TimeSpan.FromHours(72)));
        time.Ahead = TimeSpan.Zero;
        host.ResultClock.Doubt.Should().BeNull("it is right again");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sweep_TooManyBytesByAClockThatIsAhead_KeepsTheNewest(bool isSetBack)
    {
        await using var host = await StartAsync(options => options.PictureGigabytes = 25_000 / 1e9);
        time.Ahead = isSetBack ? Year : TimeSpan.Zero;
        var first = await host.StoreAsync(new string('a', 10_000));
        time.Ahead = isSetBack ? TimeSpan.Zero : Year;
        time.Advance(TimeSpan.FromMinutes(10));
        StoredResult[] later = [await host.StoreAsync(new string('b', 10_000)), await host.StoreAsync(new string('c', 10_000))];
        await host.SweepAsync();
        (await host.Pictures.ReadPictureAsync(first.PictureHash!)).Should().BeNull();
        foreach (var result in later)
        {
            (await host.Pictures.ReadPictureAsync(result.PictureHash!)).Should().NotBeNull();
        }
    }

    [Fact]
    public async Task Sweep_JournalThatAClockBeganThatWasAhead_KeepsThePicturesOfWhatWaitsInIt()
    {
        await using (var host = await StartAsync())
        {
            await host.StoreAsync("stored");
        }

        // Its services do not run: nothing leaves the journal.
        await using var waiting = ResultsHost.Idle(folder.Path, options => options.ResultDays = 30, time);
        time.Ahead = Year;
        await waiting.Recorder.RecordAsync(ResultsHost.Record(), "meanwhile"u8.ToArray());
        time.Ahead = TimeSpan.Zero;
        await waiting.Recorder.RecordAsync(ResultsHost.Record(), "waits"u8.ToArray());
        time.Advance(TimeSpan.FromDays(3));
        await waiting.Sweep.RunAsync(default);
        Directory.GetFiles(folder.In("pictures"), "*", SearchOption.AllDirectories).Should().HaveCount(3);
    }

    public void Dispose() => folder.Dispose();

    private async Task<ResultsHost> StartAsync(Action<KagPromptResultsOptions>? configure = null)
    {
        var host = await ResultsHost.StartAsync(folder.Path, null, options =>
        {
            (options.ResultDays, options.PictureDays, options.RetentionInterval) = (30, 30, TimeSpan.FromDays(7));
            configure?.Invoke(options);
        }, time);
        // The service looks at the clock at its start, a moment later.
        await host.ResultClock.NowAsync(default);
        return host;
    }
}
