using System.Runtime.CompilerServices;
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

    [Fact]
    public void Run_ManyCallers_AllOnOneThreadWithWhatFlowsAndTheirNumberOfThreads()
    {
        var (queue, before) = (new DeviceQueue(), torch.get_num_threads());
        var (flows, seen) = (new AsyncLocal<int>(), new (int Thread, int Flowing, int Threads)[2]);
        try
        {
            for (var i = 0; i < seen.Length; i++)
            {
                var caller = new Thread(() =>
                {
                    flows.Value = i + 10;
                    torch.set_num_threads(i + 1);
                    seen[i] = queue.Run(() => (Environment.CurrentManagedThreadId, flows.Value, torch.get_num_threads()));
                });
                caller.Start();
                caller.Join();
            }
        }
        finally
        {
            torch.set_num_threads(before);
        }

        seen.Select(s => s.Thread).Distinct().Should().ContainSingle().Which.Should().NotBe(Environment.CurrentManagedThreadId);
        seen.Select(s => (s.Flowing, s.Threads)).Should().Equal((10, 1), (11, 2));
    }

    [Fact]
    public void Run_Done_HoldsNothingOfIt()
    {
        var queue = new DeviceQueue();
        var held = Used(queue);
        SpinWait.SpinUntil(() =>
        {
            GC.Collect();
            return !held.IsAlive;
        }, TimeSpan.FromSeconds(30)).Should().BeTrue("a model that nobody disposes is collected");
        GC.KeepAlive(queue);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Used(DeviceQueue queue)
    {
        var model = new object();
        queue.Run(() => model.GetHashCode());
        return new(model);
    }

    [Fact]
    public void Run_WithoutGradients()
        => new DeviceQueue().Run(() =>
        {
            using var weight = torch.ones(2, requires_grad: true);
            using var sum = weight.sum();
            return sum.requires_grad;
        }).Should().BeFalse();

    [Fact]
    public void Run_InterruptedWhileItsWorkRuns_WaitsForItsEnd()
    {
        var (queue, ended) = (new DeviceQueue(), false);
        using var begun = new ManualResetEventSlim();
        Exception? seen = null;
        var caller = new Thread(() => seen = Record(() => queue.Run(() =>
        {
            begun.Set();
            Thread.Sleep(200);
            return ended = true;
        })));
        caller.Start();
        begun.Wait();
        caller.Interrupt();
        Thread.Sleep(50);
        caller.Interrupt();
        caller.Join();
        ended.Should().BeTrue("it works on what is the caller's");
        seen.Should().BeOfType<ThreadInterruptedException>();
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
