using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Accounts;
using Microsoft.ML.KagPrompt.Station.Improving;
using Microsoft.ML.KagPrompt.Station.Storage;
using Microsoft.ML.KagPrompt.Station.Teaching;
using QuickStart;

namespace Microsoft.ML.KagPrompt.Station.Tests.Improving;

public sealed class ImproverTests : IAsyncLifetime
{
    private const string Product = "washer";

    private readonly string data = Directory.CreateTempSubdirectory("kagprompt-improve-").FullName;
    private ServiceProvider services = null!;
    private FitOutcome outcome = null!;
    private string version = "";

    private string Model => Path.Combine(data, "first.kag");

    private Improver Improver => services.GetRequiredService<Improver>();

    private Publisher Publisher => services.GetRequiredService<Publisher>();

    public async Task InitializeAsync()
    {
        var options = new StationOptions { Data = data };
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddSingleton(options).AddSingleton(TimeProvider.System);
        collection.AddDbContextFactory<StationDb>(db => db.UseSqlite($"Data Source={options.PathTo("station.db")}"));
        collection.AddKagPromptResults(results => results.Folder = options.PathTo("results"));
        collection.AddSingleton<IModelRegistry>(new FolderModelRegistry(options.PathTo("registry")));
        collection.AddSingleton<Pictures.PictureDecoder>().AddSingleton<PhotoStore>().AddSingleton<FactsStore>().AddSingleton<Teacher>()
            .AddSingleton<Publisher>()
            .AddSingleton<AuditLog>().AddSingleton<Improver>();
        services = collection.BuildServiceProvider();
        await using (var db = await services.GetRequiredService<IDbContextFactory<StationDb>>().CreateDbContextAsync())
        {
            await StationSchema.PrepareAsync(db, default);
        }

        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StartAsync(default);
        }

        var photographs = services.GetRequiredService<PhotoStore>();
        var given = new ModelFacts { Photographs = [.. Enumerable.Range(0, 4).Select(i => photographs.Add(Part(i), $"{i}.png"))],
            Threshold = 0, MapLow = 0, MapHigh = 1, MapThreshold = 0 };
        outcome = await services.GetRequiredService<Teacher>().FitAsync(Product, given, Model, (_, _, _) => { }, default);
        version = await Publisher.PublishAsync(Product, Model, outcome.Facts, "anna", "first");
        await RecordAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StopAsync(default);
        }

        await services.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task MoveThreshold_ShowsWhatChanges_IsTakenOver_AndUndone()
    {
        await Improver.MoveThresholdAsync(Product, -1, "anna", (_, _, _) => { }, default);
        var candidate = Improver.Find(Product)!;
        candidate.Compared.Should().Be(3);
        candidate.Changes.Should().HaveCount(2, "the chipped one was rejected before")
            .And.OnlyContain(change => change.IsAnomalous && !change.Before.IsAnomalous);
        candidate.Facts.Photographs.Should().Equal(outcome.Facts.Photographs, "the threshold alone is another one");

        var moved = await Improver.TakeOverAsync(Product, "anna");
        var registry = services.GetRequiredService<IModelRegistry>();
        (await registry.GetActiveAsync(Product))!.Id.Should().Be(moved);
        services.GetRequiredService<FactsStore>().Find(Product, moved)!.Threshold.Should().Be(-1);
        await FluentActions.Awaiting(() => Improver.TakeOverAsync(Product, "bert")).Should()
            .ThrowAsync<InvalidOperationException>("it was taken over once");

        await Publisher.RollBackAsync(Product, "anna");
        (await registry.GetActiveAsync(Product))!.Id.Should().Be(version);
    }

    [Fact]
    public async Task TakeOver_AfterSomebodyPublished_IsRefused()
    {
        await Improver.MoveThresholdAsync(Product, -1, "anna", (_, _, _) => { }, default);
        await Publisher.PublishAsync(Product, Model, outcome.Facts, "bert", "meanwhile");
        await FluentActions.Awaiting(() => Improver.TakeOverAsync(Product, "anna")).Should().ThrowAsync<InvalidOperationException>()
            .WithMessage("*Compare again*");
    }

    [Fact]
    public async Task Learn_AFalseAlarm_IsRememberedAsGood()
    {
        // A part with a chip, of which a person says that it is good.
        var store = services.GetRequiredService<IResultStore>();
        var chipped = (await store.QueryAsync(new() { Verdict = ResultVerdict.Anomalous })).Results.Should().ContainSingle().Subject;
        await store.SetFeedbackAsync(chipped.Id, FeedbackKind.FalseAlarm, "anna");
        (await Improver.SaidAsync(Product)).Should().ContainSingle(result => result.Id == chipped.Id);

        await Improver.LearnAsync(Product, [chipped.Id], "anna", (_, _, _) => { }, default);
        Improver.Find(Product)!.Changes.Should().Contain(change => change.Before.Id == chipped.Id && !change.IsAnomalous);
        await Improver.TakeOverAsync(Product, "anna");
        (await Improver.SaidAsync(Product)).Should().BeEmpty("the new version knows it");
    }

    [Fact]
    public async Task Learn_PicturesThatAreGoneSinceTheyWereChosen_AreLeftOutAndCounted()
    {
        var store = services.GetRequiredService<IResultStore>();
        await RecordAsync(Chipped(78), Chipped(79));
        var chosen = (await store.QueryAsync(new() { Verdict = ResultVerdict.Anomalous }, ResultOrder.Oldest)).Results;
        foreach (var result in chosen)
        {
            await store.SetFeedbackAsync(result.Id, FeedbackKind.FalseAlarm, "anna");
        }

        File.Delete(FileOf(chosen[1]));
        await File.WriteAllTextAsync(FileOf(chosen[2]), "damaged");
        await FluentActions.Awaiting(() => Improver.LearnAsync(Product, [chosen[1].Id, chosen[2].Id, Guid.NewGuid()], "anna",
            (_, _, _) => { }, default)).Should().ThrowAsync<InvalidOperationException>().WithMessage("None of the chosen*Load the page again.");
        Improver.Find(Product).Should().BeNull();

        await Improver.LearnAsync(Product, [.. chosen.Select(result => result.Id)], "anna", (_, _, _) => { }, default);
        var candidate = Improver.Find(Product)!;
        (candidate.LeftOut, candidate.NotCompared, candidate.Compared).Should().Be((2, 2, 3));
        candidate.Facts.Photographs.Should().HaveCount(outcome.Facts.Photographs.Count + 1);
    }

    [Fact]
    public async Task MoveThreshold_PictureThatGoesMeanwhile_IsNotCompared()
    {
        var last = (await services.GetRequiredService<IResultStore>().QueryAsync(ResultFilter.All, ResultOrder.Oldest)).Results[0];
        await Improver.MoveThresholdAsync(Product, -1, "anna", (_, done, _) =>
        {
            if (done == 1)
            {
                File.Delete(FileOf(last));
            }
        }, default);
        (Improver.Find(Product)!.NotCompared, Improver.Find(Product)!.Compared).Should().Be((1, 2));
    }

    private string FileOf(StoredResult result) => Directory.GetFiles(Path.Combine(data, "results", "pictures"), result.PictureHash!,
        SearchOption.AllDirectories).Single();

    // Two parts that it was taught with, and one that is new and chipped.
    private Task RecordAsync() => RecordAsync(Part(0), Part(1), Chipped(77));

    private async Task RecordAsync(params byte[][] files)
    {
        var recorder = services.GetRequiredService<ResultRecorder>();
        using var model = KagPromptModel.Load(Model);
        foreach (var file in files)
        {
            var verdict = model.Inspect(ImageCodec.Read(file, "part"), Product);
            await recorder.RecordAsync(new InspectionRecord(verdict, InspectionRecord.NewId(), Product, version, DateTimeOffset.UtcNow),
                file, ResultMap.From(verdict));
        }

        await recorder.WhenStoredAsync();
    }

    private static byte[] Chipped(int seed) => ImageCodec.EncodePng(PartRenderer.Render(seed, "chip").Picture);

    private static byte[] Part(int seed) => ImageCodec.EncodePng(PartRenderer.Render(seed, null).Picture);
}
