using Microsoft.Extensions.Options;

namespace Microsoft.ML.KagPrompt.Hosting.Tests.Serving;

public sealed class LifetimeTests
{
    [Fact]
    public async Task StartAsync_ProductsOfOptions_AreLoadedAndWarmBeforeItReturns()
    {
        var loader = new FakeLoader();
        await using var host = RunningHost.Create((options, folder) => options.Products["part"] = new() { Path = Path.Combine(folder, "one.fake") }, (builder, _) => builder.AddLoader(loader));
        host.FakeFile("one");
        await host.StartAsync();
        (await host.InspectAsync(1)).ModelVersion.Should().MatchRegex("^[0-9a-f]{12}$", "a file without a version is called by its hash");
        loader.Last.Batches.Should().ContainSingle();
    }

    [Fact]
    public async Task StartAsync_FileThatCannotBeLoaded_StopsTheStart()
    {
        await using var host = RunningHost.Create((options, folder) => options.Products["part"] = new() { Path = Path.Combine(folder, "absent.fake") }, (builder, _) => builder.AddLoader(new FakeLoader()));
        await host.Invoking(one => one.StartAsync()).Should().ThrowAsync<FileNotFoundException>().WithMessage("*absent.fake*");
    }

    [Fact]
    public async Task StartAsync_OptionsOutOfRange_NamesThemAll()
    {
        await using var host = RunningHost.Create((options, _) =>
        {
            (options.QueueCapacity, options.MaxBatchSize, options.MaxConcurrentDecodes, options.MaxImageBytes) = (0, 0, 0, 0);
            (options.MaxBatchDelay, options.RegistryInterval) = (TimeSpan.FromSeconds(-1), TimeSpan.Zero);
            options.Products["../x"] = new();
        }, (builder, _) => builder.AddLoader(new FakeLoader()));
        var message = (await host.Invoking(one => one.StartAsync()).Should().ThrowAsync<OptionsValidationException>()).Which.Message;
        message.Should().ContainAll("8 invalid", "QueueCapacity", "MaxBatchSize", "MaxConcurrentDecodes", "MaxImageBytes", "MaxBatchDelay", "RegistryInterval", "Products['../x']", ".Path");
    }

    [Fact]
    public async Task StopAsync_QueuedRequests_AreAnsweredNewOnesRefusedAndModelsDisposed()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => options.MaxBatchDelay = TimeSpan.Zero);
        loader.Last.Hold();
        var tasks = new List<Task<Inspection>> { host.InspectAsync(1) };
        await loader.Last.StartedAsync();
        tasks.AddRange([host.InspectAsync(2), host.InspectAsync(3)]);
        var stopping = host.StopAsync();
        await Patience.UntilAsync(() => host.Models.Products[0].Version is null);
        (await host.Invoking(one => one.InspectAsync(4)).Should().ThrowAsync<InspectionRefusedException>()).Which.Reason.Should().Be(RefusalReason.Stopping);
        (await host.Inspector.Invoking(one => one.InspectAsync([1], "absent")).Should().ThrowAsync<InspectionRefusedException>()).Which.Reason.Should().Be(RefusalReason.Stopping);
        stopping.IsCompleted.Should().BeFalse();
        loader.Last.Release();
        (await Task.WhenAll(tasks)).Select(verdict => verdict.Score).Should().Equal(1, 2, 3);
        await stopping.WaitAsync(Patience.Long);
        loader.Last.IsDisposed.Should().BeTrue();
        await host.Invoking(one => one.SwapAsync("two")).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Fact]
    public async Task StopAsync_ProductUnloadedBefore_ItsRequestsAreAnsweredToo()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => options.MaxBatchDelay = TimeSpan.Zero);
        loader.Last.Hold();
        var task = host.InspectAsync(1);
        await loader.Last.StartedAsync();
        var unloading = host.Models.UnloadAsync("part");
        var stopping = host.StopAsync();
        stopping.IsCompleted.Should().BeFalse();
        loader.Last.Release();
        (await task).Score.Should().Be(1);
        await stopping.WaitAsync(Patience.Long);
        await unloading.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task StopAsync_TimeIsOver_RefusesTheRestAndDisposes()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => (options.MaxBatchSize, options.MaxBatchDelay) = (1, TimeSpan.Zero));
        loader.Last.Hold();
        var tasks = new List<Task<Inspection>> { host.InspectAsync(1) };
        await loader.Last.StartedAsync();
        tasks.Add(host.InspectAsync(2));
        var slow = new SlowStream();
        tasks.Add(host.Inspector.InspectAsync(slow, "part"));
        using var over = new CancellationTokenSource();
        var stopping = host.StopAsync(over.Token);
        await Patience.UntilAsync(() => host.InspectAsync(3) is { IsFaulted: true });
        tasks.Should().OnlyContain(task => !task.IsCompleted, "there is time left");
        loader.Last.IsDisposed.Should().BeFalse();
        await over.CancelAsync();
        // The host says so itself where its time was over; it ends all the same.
        await Task.WhenAny(stopping).WaitAsync(Patience.Long);
        await stopping.Invoking(task => task).Should().NotThrowAsync<InspectionRefusedException>();
        foreach (var task in tasks)
        {
            (await task.Invoking(one => one.WaitAsync(Patience.Long)).Should().ThrowAsync<InspectionRefusedException>()).Which.Reason.Should().Be(RefusalReason.Stopping);
        }

        await Patience.UntilAsync(() => loader.Last.IsDisposed);
    }

    /// <summary>Nothing ever comes.</summary>
    private sealed class SlowStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
