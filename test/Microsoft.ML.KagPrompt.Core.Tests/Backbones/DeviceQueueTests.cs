using Microsoft.ML.KagPrompt.Backbones;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>One piece of work at a time on a device, in the order of coming.</summary>
public sealed class DeviceQueueTests
{
    [Fact]
    public void Of_SameDevice_IsTheSame()
    {
        DeviceQueue.For(torch.device("cpu")).Should().BeSameAs(DeviceQueue.For(torch.CPU));
        DeviceQueue.For(DeviceType.CUDA, -1).Should().BeSameAs(DeviceQueue.For(DeviceType.CUDA, 0));
        DeviceQueue.For(DeviceType.CUDA, 0).Should().NotBeSameAs(DeviceQueue.For(torch.CPU));
        DeviceQueue.For(DeviceType.CUDA, 1).Should().NotBeSameAs(DeviceQueue.For(DeviceType.CUDA, 0));
    }

    [Fact]
    public void Run_ManyWaiting_ServesThemInTheOrderTheyCame()
    {
        var (queue, served) = (new DeviceQueue(), new List<int>());
        var waiters = queue.Run(() => Enumerable.Range(0, 6).Select(i => Started(queue, () => queue.Run(() =>
        {
            served.Add(i);
            return i;
        }), i + 1)).ToArray());
        Array.ForEach(waiters, waiter => waiter.Join());
        served.Should().Equal(0, 1, 2, 3, 4, 5);
    }

    [Fact]
    public void Run_WorkFailsOrAWaiterIsInterrupted_LetsTheNextThrough()
    {
        var queue = new DeviceQueue();
        Exception? seen = null;
        var (interrupted, next) = queue.Run(() =>
        {
            var first = Started(queue, () => seen = Record(() => queue.Run(() => 0)), 1);
            var second = Started(queue, () => queue.Run(() => 0), 2);
            first.Interrupt();
            first.Join();
            return (first, second);
        });
        next.Join(TimeSpan.FromSeconds(30)).Should().BeTrue();
        seen.Should().BeOfType<ThreadInterruptedException>();
        FluentActions.Invoking(() => queue.Run<int>(() => throw new FormatException())).Should().Throw<FormatException>();
        queue.Run(() => 7).Should().Be(7);
    }

    private static Exception? Record(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception fault)
        {
            return fault;
        }
    }

    /// <summary>A thread that waits as the n-th in the queue.</summary>
    private static Thread Started(DeviceQueue queue, Action run, int n)
    {
        var thread = new Thread(() => run()) { IsBackground = true };
        thread.Start();
        SpinWait.SpinUntil(() => queue.Waiting == n, TimeSpan.FromSeconds(30)).Should().BeTrue();
        return thread;
    }
}
