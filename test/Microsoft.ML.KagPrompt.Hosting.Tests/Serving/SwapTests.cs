using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.ML.KagPrompt.Hosting.Tests.Serving;

public sealed class SwapTests
{
    [Fact]
    public async Task SwapAsync_WhileABatchIsUnderWay_EndsItOnItsModelAndDisposesThat()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => options.MaxBatchDelay = TimeSpan.Zero);
        var old = loader.Last;
        old.Hold();
        var underWay = host.InspectAsync(1);
        await old.StartedAsync();
        var queued = host.InspectAsync(2);
        await host.SwapAsync("two");
        (await host.InspectAsync(3).WaitAsync(Patience.Long)).ModelVersion.Should().Be("two", "new requests do not wait for the old model");
        old.IsDisposed.Should().BeFalse();
        old.Release();
        (await underWay).ModelVersion.Should().Be("one");
        (await queued).ModelVersion.Should().Be("one", "a request ends on the model it began with");
        await Patience.UntilAsync(() => old.IsDisposed);
        loader.Last.IsDisposed.Should().BeFalse();
    }

    [Fact]
    public async Task SwapAsync_QueueOfTwoModels_NeverMixesThemInABatch()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => options.MaxBatchDelay = TimeSpan.Zero);
        var old = loader.Last;
        old.Hold();
        var tasks = new List<Task<Inspection>> { host.InspectAsync(1) };
        await old.StartedAsync();
        tasks.AddRange([host.InspectAsync(2), host.InspectAsync(3)]);
        await host.SwapAsync("two");
        tasks.AddRange([host.InspectAsync(4), host.InspectAsync(5)]);
        old.Release();
        (await Task.WhenAll(tasks)).Select(verdict => verdict.ModelVersion).Should().Equal("one", "one", "one", "two", "two");
        loader.Last.Batches.SelectMany(batch => batch).Order().Should().Equal(4, 5);
    }

    [Fact]
    public async Task SwapAsync_TenTimesUnderEightCallers_NoRequestFails()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader);
        using var enough = new CancellationTokenSource();
        var callers = Enumerable.Range(1, 8).Select(caller => Task.Run(async () =>
        {
            var versions = new HashSet<string?>();
            while (!enough.IsCancellationRequested)
            {
                var verdict = await host.InspectAsync((byte)caller);
                verdict.Score.Should().Be(caller);
                versions.Add(verdict.ModelVersion);
            }

            return versions;
        })).ToArray();
        for (var i = 0; i < 10; i++)
        {
            await host.SwapAsync($"v{i}");
            var answered = host.Measured("kagprompt.requests").Length;
            await Patience.UntilAsync(() => host.Measured("kagprompt.requests").Length > answered + 8);
        }

        await enough.CancelAsync();
        (await Task.WhenAll(callers)).SelectMany(versions => versions).Distinct().Should().HaveCountGreaterThan(8);
        await Patience.UntilAsync(() => loader.Loaded.SkipLast(1).All(model => model.IsDisposed));
        host.Measured("kagprompt.requests").Should().OnlyContain(one => one.Outcome == "good");
        host.Measured("kagprompt.model.swaps").Should().Equal(Enumerable.Repeat((1.0, "part", "swapped"), 11));
    }

    [Fact]
    public async Task SwapAsync_BrokenFile_LeavesTheOldOneAndSaysWhy()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader);
        await host.Invoking(one => one.SwapAsync("broken")).Should().ThrowAsync<ModelFormatException>().WithMessage("*is broken*");
        (await host.InspectAsync(1)).ModelVersion.Should().Be("one");
        host.Models.Products.Single().Should().Match<HostedProduct>(product => product.Version == "one" && product.LoadFault!.Contains("is broken"));
        var health = await host.HealthAsync();
        health.Status.Should().Be(HealthStatus.Degraded);
        health.Description.Should().Contain("is broken");

        File.WriteAllText(Path.Combine(host.Folder, "other"), "no model of any kind");
        await host.Models.Invoking(models => models.SwapAsync(new("part", Path.Combine(host.Folder, "other")))).Should().ThrowAsync<ModelFormatException>().WithMessage("*none of 1 loaders*");
        await host.Models.Invoking(models => models.SwapAsync(new("part", Path.Combine(host.Folder, "absent")))).Should().ThrowAsync<FileNotFoundException>();
        await host.SwapAsync("two");
        (await host.HealthAsync()).Status.Should().Be(HealthStatus.Healthy);
        host.Measured("kagprompt.model.swaps").Count(one => one.Outcome == "failed").Should().Be(3);
    }

    [Fact]
    public async Task SwapAsync_Cancelled_DisposesTheNewOneAndLeavesTheOld()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader);
        using var cancel = new CancellationTokenSource();
        // While it is loaded: later it would have taken over, earlier nothing would have been made.
        loader.Loading = cancel.Cancel;

        await host.Invoking(one => one.SwapAsync("two", cancel.Token)).Should().ThrowAsync<OperationCanceledException>();

        loader.Loaded.Should().HaveCount(2);
        loader.Last.IsDisposed.Should().BeTrue();
        loader.Loaded.First().IsDisposed.Should().BeFalse();
        (await host.InspectAsync(1)).ModelVersion.Should().Be("one");
        (await host.HealthAsync()).Status.Should().Be(HealthStatus.Healthy, "nothing is wrong with the model");
    }

    [Fact]
    public async Task SwapAsync_OldModelCannotBeDisposed_TakesOverAndGoesOn()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader);
        var old = loader.Last;
        old.DisposeFault = new InvalidOperationException("the device is gone");

        await host.SwapAsync("two");

        old.IsDisposed.Should().BeTrue();
        (await host.InspectAsync(1)).ModelVersion.Should().Be("two");
        (await host.HealthAsync()).Status.Should().Be(HealthStatus.Healthy);
    }

    [Fact]
    public async Task SwapAsync_OldModelCannotBeDisposedWhenItsLastBatchIsDone_AnswersAndEnds()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader);
        var old = loader.Last;
        old.DisposeFault = new InvalidOperationException("the device is gone");
        old.Hold();
        var last = host.InspectAsync(1);
        await old.StartedAsync();
        await host.SwapAsync("two");

        old.Release();

        (await last.WaitAsync(Patience.Long)).ModelVersion.Should().Be("one");
        await Patience.UntilAsync(() => old.IsDisposed);
        (await host.InspectAsync(1)).ModelVersion.Should().Be("two");
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("part.")]
    [InlineData("")]
    [InlineData("schräg")]
    [InlineData("a\n")]
    public async Task SwapAsync_NameThatIsNone_IsRefused(string product)
    {
        await using var host = await RunningHost.StartAsync(new FakeLoader());
        await host.Models.Invoking(models => models.SwapAsync(new(product, host.FakeFile("two")))).Should().ThrowAsync<ArgumentException>();
        host.Models.Products.Should().ContainSingle();
    }

    [Fact]
    public async Task UnloadAsync_RequestsUnderWay_AreAnsweredAndNewOnesRefused()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => options.MaxBatchDelay = TimeSpan.Zero);
        var old = loader.Last;
        old.Hold();
        var underWay = host.InspectAsync(1);
        await old.StartedAsync();
        var queued = host.InspectAsync(2);
        var unloading = host.Models.UnloadAsync("part");
        (await host.Invoking(one => one.InspectAsync(3)).Should().ThrowAsync<InspectionRefusedException>()).Which.Reason.Should().Be(RefusalReason.ProductUnknown);
        unloading.IsCompleted.Should().BeFalse();
        await host.SwapAsync("two");
        (await host.InspectAsync(4)).ModelVersion.Should().Be("two", "it may come back meanwhile");
        old.Release();
        (await Task.WhenAll(underWay, queued)).Select(verdict => verdict.Score).Should().Equal(1, 2);
        await unloading.WaitAsync(Patience.Long);
        old.IsDisposed.Should().BeTrue();
        await host.Models.UnloadAsync("absent");
    }

    [Fact]
    public async Task Health_FaultOfTheProcess_IsUnhealthyUntilABatchSucceeds()
    {
        await using var host = await RunningHost.StartAsync(new FakeLoader());
        await host.Invoking(one => one.InspectAsync(FakeModel.Fatal)).Should().ThrowAsync<InvalidOperationException>();
        await Patience.UntilAsync(() => host.Models.Products[0].ScoringFault is not null);
        var health = await host.HealthAsync();
        (health.Status, health.Description).Should().Be((HealthStatus.Unhealthy, "'part': the device is gone"));
        await host.InspectAsync(1);
        await Patience.UntilAsync(() => host.Models.Products[0].ScoringFault is null);
        (await host.HealthAsync()).Status.Should().Be(HealthStatus.Healthy);
        await Patience.UntilAsync(() => host.Measured("kagprompt.batch.duration").Length == 2);
        host.Measured("kagprompt.batch.duration").Select(batch => batch.Outcome).Should().Equal("failed", "ok");
    }
}
