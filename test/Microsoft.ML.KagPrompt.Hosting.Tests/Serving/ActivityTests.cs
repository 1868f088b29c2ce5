using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace Microsoft.ML.KagPrompt.Hosting.Tests.Serving;

public sealed class ActivityTests
{
    [Fact]
    public async Task InspectAsync_TwoOfABatch_AreActivitiesThatTheBatchLinksTo()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.ML.KagPrompt",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var swapping = new Activity("swap").Start();
        await using var host = await RunningHost.StartAsync(new FakeLoader(),
            options => (options.MaxBatchSize, options.MaxBatchDelay) = (2, TimeSpan.FromSeconds(10)), new FakeTimeProvider());
        await Task.WhenAll(host.InspectAsync(1), host.InspectAsync(2));
        await Patience.UntilAsync(() => ended.Count == 3);
        var batch = ended.Single(activity => activity.OperationName == "kagprompt.batch");
        batch.ParentId.Should().BeNull("it is nobody's part, whoever swapped the model");
        batch.Links.Select(link => link.Context.SpanId).Should().BeEquivalentTo(ended.Where(activity => activity != batch).Select(activity => activity.SpanId));
        ended.Where(activity => activity != batch).Should().OnlyContain(activity => activity.ParentId == swapping.Id
            && (string)activity.GetTagItem("kagprompt.product")! == "part" && (string)activity.GetTagItem("kagprompt.outcome")! == "good");
    }
}
