using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using Microsoft.ML.KagPrompt.Results.Database;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Retention;

/// <summary>People speak of results while these and their pictures are removed.</summary>
public abstract class FeedbackRaceContract : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider time = ResultsHost.Clock();

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SetFeedback_WhileManyAreRemoved_IsKeptWithItsPictureOrRefused(bool rowsGo)
    {
        // Rows go an hour after their day.
        await using var host = await StartAsync(options => (options.ResultDays, options.PictureDays)
            = (rowsGo ? 1 : default(double?), rowsGo ? 25.0 / 24 : 1));
        var records = new List<StoredResult>();
        for (var i = 0; i < 240; i++)
        {
            records.Add(await host.StoreAsync($"part {i}"));
            time.Advance(TimeSpan.FromMinutes(1));
        }

        // The first sixty go before anybody speaks; the last ones do not go.
        time.Advance(TimeSpan.FromHours(21 + (rowsGo ? 1 : 0)));
        await host.SweepAsync();
        var order = records.OrderBy(record => record.PictureHash, StringComparer.Ordinal).ToArray();
        var said = new (bool IsKept, bool HadPicture)[order.Length];
        var speaking = Enumerable.Range(0, 4).Select(speaker => Task.Run(async () =>
        {
            for (var i = speaker; i < order.Length; i += 4)
            {
                var isKept = await host.Store.SetFeedbackAsync(order[i].Id, FeedbackKind.Missed, "Ann");
                said[i] = (isKept, await host.Pictures.ReadPictureAsync(order[i].PictureHash!) is not null);
            }
        })).ToArray();
        for (var i = 0; i < 15; i++)
        {
            time.Advance(TimeSpan.FromMinutes(10));
            await host.SweepAsync();
        }

        await Task.WhenAll(speaking);
        await host.SweepAsync();
        for (var i = 0; i < order.Length; i++)
        {
            var (isKept, hadPicture) = said[i];
            (await host.Store.FindAsync(order[i].Id))?.Feedback.Should().Be(isKept ? FeedbackKind.Missed : null);
            (await host.Store.FeedbackHistoryAsync(order[i].Id)).Should().HaveCount(isKept ? 1 : 0);
            (await host.Pictures.ReadPictureAsync(order[i].PictureHash!) is not null).Should().Be(isKept && hadPicture,
                "a picture that was there when somebody had spoken stays");
        }

        records.Take(60).Select(record => said[Array.IndexOf(order, record)]).Should().OnlyContain(each => each.IsKept != rowsGo
            && !each.HadPicture);
        records.TakeLast(5).Select(record => said[Array.IndexOf(order, record)]).Should().OnlyContain(each => each.IsKept && each.HadPicture);
        await using var context = await host.Database.OpenAsync(default);
        (await context.Feedback.CountAsync(row => !context.Results.Any(result => result.Id == row.ResultId))).Should().Be(0);
    }

    [SkippableFact]
    public async Task SetFeedback_BetweenTheLookAtAPictureAndItsRemoval_KeepsIt()
    {
        await using var host = await StartAsync(_ => { });
        var result = await host.StoreAsync("part");
        time.Advance(TimeSpan.FromDays(2));
        Task sweep;
        await using (var context = await host.Database.OpenAsync(default))
        await using (var transaction = await context.Database.BeginTransactionAsync())
        {
            await context.Results.ExecuteUpdateAsync(set => set.SetProperty(row => row.Feedback, FeedbackKind.Missed));
            sweep = Task.Run(() => host.Sweep.RunAsync(default));
            // It sees a result of which nobody spoke, and must not be done before this is.
            await Task.WhenAny(sweep, Task.Delay(TimeSpan.FromSeconds(0.5)));
            await transaction.CommitAsync();
        }

        await sweep;
        (await host.Pictures.ReadPictureAsync(result.PictureHash!)).Should().NotBeNull();
    }

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A new database's connection string; null: SQLite.</summary>
    protected abstract string? NewDatabase();

    // The service does not look through meanwhile.
    private Task<ResultsHost> StartAsync(Action<KagPromptResultsOptions> configure) => ResultsHost.StartAsync(folder.Path, NewDatabase(),
        options =>
        {
            (options.PictureDays, options.RetentionInterval) = (1, TimeSpan.FromDays(7));
            configure(options);
        }, time);
}

public sealed class SqliteFeedbackRaceTests : FeedbackRaceContract
{
    protected override string? NewDatabase() => null;
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresFeedbackRaceTests(PostgresServer server) : FeedbackRaceContract
{
    protected override string? NewDatabase() => server.NewDatabase();
}
