using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;

namespace Microsoft.ML.KagPrompt.Hosting.Tests.Registry;

public sealed class RegistryWatcherTests
{
    private static readonly ModelNotes Notes = new() { By = "test" };

    private readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);
    private readonly FakeLoader loader = new();

    [Fact]
    public async Task Watching_ActivateRollBackDeactivate_IsFollowed()
    {
        await using var host = Create();
        var registry = host.Get<IModelRegistry>();
        var one = await PublishAsync(host, "one");
        await registry.ActivateAsync("part", one, "test");
        await host.StartAsync();
        (await InspectAsync(host)).ModelVersion.Should().Be(one, "what is active is loaded before the program takes requests");

        var two = await PublishAsync(host, "two");
        await registry.ActivateAsync("part", two, "test");
        await FollowAsync(host, two);
        (await InspectAsync(host)).ModelVersion.Should().Be(two);
        await registry.RollBackAsync("part");
        await FollowAsync(host, one);
        (await InspectAsync(host)).ModelVersion.Should().Be(one);
        await registry.DeactivateAsync("part", "test");
        await Patience.UntilAsync(() => host.Models.Products.Count == 0, Tick);
        await Patience.UntilAsync(() => loader.Loaded.All(model => model.IsDisposed));
        loader.Loaded.Should().HaveCount(3, "each was loaded once, however often the registry was looked at");
        await registry.ActivateAsync("part", two, "test");
        await FollowAsync(host, two);
        Directory.Delete(Path.Combine(host.Folder, "models", "part"), recursive: true);
        await Patience.UntilAsync(() => host.Models.Products.Count == 0, Tick);
    }

    [Fact]
    public async Task Watching_BrokenVersion_LeavesTheOldOneAndIsTriedAgainAfterAWhile()
    {
        await using var host = Create();
        var registry = host.Get<IModelRegistry>();
        var one = await PublishAsync(host, "one");
        await registry.ActivateAsync("part", one, "test");
        await host.StartAsync();
        await registry.ActivateAsync("part", await PublishAsync(host, "broken"), "test");
        await Patience.UntilAsync(() => host.Models.Products[0].LoadFault is not null, Tick);
        (await InspectAsync(host)).ModelVersion.Should().Be(one);
        (await host.HealthAsync()).Status.Should().Be(HealthStatus.Degraded);
        int Failures() => host.Measured("kagprompt.model.swaps").Count(swap => swap.Outcome == "failed");
        Failures().Should().Be(1);
        await Patience.UntilAsync(() => Failures() == 2, Tick);
        await registry.RollBackAsync("part");
        await Patience.UntilAsync(() => host.Models.Products[0].LoadFault is null, Tick);
        loader.Loaded.Should().ContainSingle("the one that serves is the one that is active again");
        await registry.ActivateAsync("part", await PublishAsync(host, "broken"), "test");
        await Patience.UntilAsync(() => host.Models.Products[0].LoadFault is not null, Tick);
        await registry.ActivateAsync("part", await PublishAsync(host, "three"), "test");
        await Patience.UntilAsync(() => host.Models.Products[0].LoadFault is null, Tick);
        (await host.HealthAsync()).Status.Should().Be(HealthStatus.Healthy);
    }

    [Fact]
    public async Task Start_BrokenVersionAlone_StartsUnhealthyAndRefuses()
    {
        await using var host = Create();
        var broken = await PublishAsync(host, "broken");
        await host.Get<IModelRegistry>().ActivateAsync("part", broken, "test");
        await host.StartAsync();
        (await host.Invoking(InspectAsync).Should().ThrowAsync<InspectionRefusedException>()).Which.Reason.Should().Be(RefusalReason.ModelUnavailable);
        var health = await host.HealthAsync();
        (health.Status, health.Data["part"]).Should().Be((HealthStatus.Unhealthy, "no model"));
        host.Measured("kagprompt.requests").Should().Equal((1, "part", "model_unavailable"));
    }

    [Fact]
    public async Task Watching_FolderThatGoesAway_LeavesWhatIsServed()
    {
        await using var host = Create();
        var registry = host.Get<IModelRegistry>();
        var one = await PublishAsync(host, "one");
        await registry.ActivateAsync("part", one, "test");
        await host.StartAsync();
        var (folder, away) = (Path.Combine(host.Folder, "models"), Path.Combine(host.Folder, "away"));
        Directory.Move(folder, away);
        await registry.Invoking(list => list.ListProductsAsync()).Should().ThrowAsync<DirectoryNotFoundException>();
        await registry.Invoking(list => list.GetActiveAsync("part")).Should().ThrowAsync<DirectoryNotFoundException>();
        for (var look = 0; look < 5; look++)
        {
            Tick();
            await Task.Yield();
            (await InspectAsync(host)).ModelVersion.Should().Be(one);
        }

        Directory.Move(away, folder);
        var two = await PublishAsync(host, "two");
        await registry.ActivateAsync("part", two, "test");
        await FollowAsync(host, two);
    }

    [Fact]
    public async Task Watching_BrokenVersionThatIsTakenAway_IsForgotten()
    {
        await using var host = Create();
        var registry = host.Get<IModelRegistry>();
        await registry.ActivateAsync("part", await PublishAsync(host, "broken"), "test");
        await host.StartAsync();
        (await host.HealthAsync()).Status.Should().Be(HealthStatus.Unhealthy);
        Directory.Delete(Path.Combine(host.Folder, "models", "part"), recursive: true);
        await Patience.UntilAsync(() => host.Models.Products.Count == 0, Tick);
        (await host.HealthAsync()).Status.Should().Be(HealthStatus.Healthy);
    }

    [Fact]
    public async Task Start_ChangedFile_IsNotLoaded()
    {
        await using var host = Create();
        var registry = host.Get<IModelRegistry>();
        var one = await PublishAsync(host, "one");
        await registry.ActivateAsync("part", one, "test");
        File.AppendAllText(Path.Combine(host.Folder, "models", "part", one, "one.fake"), "!");
        await host.StartAsync();
        loader.Loaded.Should().BeEmpty();
        host.Models.Products.Single().LoadFault.Should().Contain("not what was published");
    }

    private static Task<Inspection> InspectAsync(RunningHost host) => host.InspectAsync(1);

    private static async Task<string> PublishAsync(RunningHost host, string name)
        => (await host.Get<IModelRegistry>().PublishAsync("part", host.FakeFile(name), Notes)).Id;

    private void Tick() => time.Advance(TimeSpan.FromSeconds(5));

    private Task FollowAsync(RunningHost host, string version)
        => Patience.UntilAsync(() => host.Models.Products.Any(product => product.Version == version), Tick);

    // A batch of one is full: nothing waits for this clock.
    private RunningHost Create() => RunningHost.Create((options, _) => options.MaxBatchSize = 1,
        (builder, folder) => builder.AddLoader(loader).AddRegistry(Path.Combine(folder, "models")), time);
}
