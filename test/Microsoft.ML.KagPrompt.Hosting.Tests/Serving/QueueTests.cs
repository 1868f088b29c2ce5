using Microsoft.Extensions.Time.Testing;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Hosting.Tests.Serving;

public sealed class QueueTests
{
    [Fact]
    public async Task InspectAsync_AsManyAsABatchHolds_GoTogetherWithoutWaitingForTheClock()
    {
        var (loader, time) = (new FakeLoader(), new FakeTimeProvider());
        await using var host = await RunningHost.StartAsync(loader, options => (options.MaxBatchSize, options.MaxBatchDelay) = (4, TimeSpan.FromSeconds(10)), time);
        var verdicts = await Task.WhenAll(Enumerable.Range(1, 8).Select(level => host.InspectAsync((byte)level))).WaitAsync(Patience.Long);
        verdicts.Select(verdict => verdict.Score).Should().Equal([1, 2, 3, 4, 5, 6, 7, 8], "each gets its own");
        verdicts.Should().OnlyContain(verdict => verdict.ModelVersion == "one");
        loader.Last.Batches.Select(batch => batch.Length).Should().Equal(4, 4);
        host.Measured("kagprompt.batch.size").Select(batch => batch.Value).Should().Equal(4, 4);
    }

    [Fact]
    public async Task InspectAsync_FewerThanABatchHolds_GoWhenTheDelayIsOver()
    {
        var (loader, time) = (new FakeLoader(), new FakeTimeProvider());
        await using var host = await RunningHost.StartAsync(loader, options => options.MaxBatchDelay = TimeSpan.FromSeconds(10), time);
        var both = Task.WhenAll(host.InspectAsync(1), host.InspectAsync(2));
        await Patience.UntilAsync(() => both.IsCompleted, () => time.Advance(TimeSpan.FromSeconds(1)));
        (await both).Select(verdict => verdict.Score).Should().Equal(1, 2);
    }

    [Fact]
    public async Task InspectAsync_FullQueue_RefusesAndAnswersThoseAccepted()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => (options.QueueCapacity, options.MaxBatchSize) = (2, 1));
        await host.InspectAsync(9);
        loader.Last.Hold();
        var accepted = new List<Task<Inspection>> { host.InspectAsync(1) };
        await loader.Last.StartedAsync();
        await loader.Last.StartedAsync();
        accepted.AddRange([host.InspectAsync(2), host.InspectAsync(3)]);
        host.Measured("kagprompt.queue.length")[^1].Should().Be((2, "part", ""));
        var refusal = (await host.Invoking(one => one.InspectAsync(4)).Should().ThrowAsync<InspectionRefusedException>()).Which;
        refusal.Reason.Should().Be(RefusalReason.QueueFull);
        refusal.RetryAfter.Should().BePositive();
        loader.Last.Release();
        (await Task.WhenAll(accepted)).Select(verdict => verdict.Score).Should().Equal(1, 2, 3);
        (await host.InspectAsync(5)).Score.Should().Be(5, "places come back");
        host.Measured("kagprompt.requests").Count(one => one.Outcome == "queue_full").Should().Be(1);
    }

    [Fact]
    public async Task InspectAsync_Cancelled_IsDroppedUncomputedAndDisturbsNobody()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => (options.QueueCapacity, options.MaxBatchDelay) = (2, TimeSpan.Zero));
        loader.Last.Hold();
        var first = host.InspectAsync(1);
        await loader.Last.StartedAsync();
        using var cancel = new CancellationTokenSource();
        var (dropped, kept) = (host.InspectAsync(2, cancel.Token), host.InspectAsync(3));
        await cancel.CancelAsync();
        (await dropped.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(cancel.Token);
        var instead = host.InspectAsync(4);
        loader.Last.Release();
        (await Task.WhenAll(first, kept, instead)).Select(verdict => verdict.Score).Should().Equal(1, 3, 4);
        loader.Last.Batches.SelectMany(batch => batch).Order().Should().Equal([1, 3, 4], "the dropped one never came to the model, and its place was given on");
        await host.Invoking(one => one.InspectAsync(5, cancel.Token)).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task InspectAsync_CancelledWhileInspected_EndsAtOnceAndTheOthersAreAnswered()
    {
        var (loader, time) = (new FakeLoader(), new FakeTimeProvider());
        await using var host = await RunningHost.StartAsync(loader, options => (options.MaxBatchSize, options.MaxBatchDelay) = (2, TimeSpan.FromSeconds(10)), time);
        loader.Last.Hold();
        using var cancel = new CancellationTokenSource();
        var (leaves, stays) = (host.InspectAsync(1, cancel.Token), host.InspectAsync(2));
        await loader.Last.StartedAsync();
        await cancel.CancelAsync();
        await leaves.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        await host.SwapAsync("two");
        loader.Loaded.First().IsDisposed.Should().BeFalse("a batch is under way on it");
        loader.Loaded.First().Release();
        (await stays).Score.Should().Be(2);
        await Patience.UntilAsync(() => loader.Loaded.First().IsDisposed);
    }

    [Fact]
    public async Task InspectAsync_OneOfABatchHasNoVerdict_FailsAlone()
    {
        var (loader, time) = (new FakeLoader(), new FakeTimeProvider());
        await using var host = await RunningHost.StartAsync(loader, options => (options.MaxBatchSize, options.MaxBatchDelay) = (3, TimeSpan.FromSeconds(10)), time);
        var tasks = new[] { host.InspectAsync(1), host.InspectAsync(FakeModel.Poison), host.InspectAsync(3) };
        await tasks[1].Invoking(task => task).Should().ThrowAsync<NotFiniteException>().WithMessage("poison");
        (await tasks[0]).Score.Should().Be(1);
        (await tasks[2]).Score.Should().Be(3);
        (await host.HealthAsync()).Status.Should().Be(Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy, "it was the image's fault");
    }

    [Fact]
    public async Task InspectAsync_BadFiles_FailAloneEachWithItsOwnError()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => options.MaxImageBytes = 1000);
        var good = ImageCodec.EncodePng(TestPictures.Plain(20, 10, 7));
        async Task Fails(Task<Inspection> task, string message)
            => (await task.Invoking(one => one).Should().ThrowAsync<ImageReadException>()).WithMessage(message);
        var verdicts = Enumerable.Range(0, 5).Select(_ => host.Inspector.InspectAsync(good, "part")).ToArray();
        await Fails(host.Inspector.InspectAsync([1, 2, 3], "part"), "*not an image*");
        await Fails(host.Inspector.InspectAsync(new MemoryStream(good[..(good.Length / 2)]), "part"), "*The image*");
        await Fails(host.Inspector.InspectAsync(new MemoryStream(new byte[1001]), "part"), "*at most 1000 bytes*");
        await Fails(host.Inspector.InspectAsync(new byte[1001], "part"), "*at most 1000 bytes*");
        (await Task.WhenAll(verdicts)).Should().OnlyContain(verdict => verdict.Score == 7);
        host.Measured("kagprompt.requests").Count(one => one.Outcome == "bad_image").Should().Be(4);
        host.Measured("kagprompt.queue.length")[^1].Value.Should().Be(0);
    }

    [Fact]
    public async Task InspectAsync_FailingStream_GivesItsOwnErrorAndItsPlaceBack()
    {
        await using var host = await RunningHost.StartAsync(new FakeLoader(), options => options.QueueCapacity = 1);
        var closed = new MemoryStream();
        closed.Dispose();
        for (var i = 0; i < 2; i++)
        {
            await host.Inspector.Invoking(one => one.InspectAsync(closed, "part")).Should().ThrowAsync<ObjectDisposedException>();
        }

        (await host.InspectAsync(1)).Score.Should().Be(1);
    }

    [Fact]
    public async Task InspectAsync_UnknownProduct_IsRefusedAndNoLabelOfAMetric()
    {
        await using var host = await RunningHost.StartAsync(new FakeLoader());
        var refusal = (await host.Inspector.Invoking(one => one.InspectAsync([1], "../../etc")).Should().ThrowAsync<InspectionRefusedException>()).Which;
        refusal.Reason.Should().Be(RefusalReason.ProductUnknown);
        host.Measured("kagprompt.requests").Should().Equal((1, "", "product_unknown"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task InspectAsync_ModelThatTakesSeveralBatches_GetsAsManyAtOnce(int most)
    {
        var loader = new FakeLoader(most);
        await using var host = await RunningHost.StartAsync(loader, options => options.MaxBatchSize = 1);
        loader.Last.Hold();
        var tasks = Enumerable.Range(1, 4).Select(level => host.InspectAsync((byte)level)).ToArray();
        for (var i = 0; i < most; i++)
        {
            await loader.Last.StartedAsync();
        }

        await Patience.UntilAsync(() => host.Models.Products[0].Waiting == 4 - most);
        loader.Last.Batches.Should().HaveCount(most);
        loader.Last.Release();
        (await Task.WhenAll(tasks)).Select(verdict => verdict.Score).Should().Equal(1, 2, 3, 4);
    }

    [Fact]
    public async Task InspectAsync_MapsAtImageSize_HaveTheTurnedImagesSize()
    {
        await using var host = await RunningHost.StartAsync(new FakeLoader(), options => options.MapsAtImageSize = true);
        var verdict = await host.Inspector.InspectAsync(ImageCodec.EncodePng(TestPictures.Plain(20, 10, 7)), "part");
        (verdict.Width, verdict.Height, verdict.Map.Length).Should().Be((20, 10, 200));
        var picture = await host.InspectAsync(3);
        (picture.Width, picture.Height).Should().Be((FakeModel.Side, FakeModel.Side));
    }

    [Fact]
    public async Task InspectAsync_ManyPictures_FewAreDecodedAtOnceAndOfLargeOnesOne()
    {
        var loader = new FakeLoader();
        await using var host = await RunningHost.StartAsync(loader, options => options.MaxConcurrentDecodes = 2);
        await Task.WhenAll(Enumerable.Range(1, 40).Select(level => host.InspectAsync((byte)level)));
        loader.Last.MostPreparedAtOnce.Should().BeInRange(1, 2);

        await host.SwapAsync("two");
        var large = ImageCodec.EncodeJpeg(TestPictures.Plain(4001, 4001, 7));
        (await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => host.Inspector.InspectAsync(large, "part")))).Should().OnlyContain(verdict => verdict.Score == 7);
        loader.Last.MostPreparedAtOnce.Should().Be(1);
    }
}
