using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

/// <summary>Threads that help with a piece of work, and never hold it up.</summary>
public sealed class ThreadTeamTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public void Run_TwoThreads_AHelperOfItsOwnComes()
    {
        // It may be at another's work: then this thread works alone.
        SpinWait.SpinUntil(() =>
        {
            var seen = new List<Thread>();
            ThreadTeam.Run(2, () =>
            {
                lock (seen)
                {
                    seen.Add(Thread.CurrentThread);
                }

                SpinWait.SpinUntil(() => seen.Count == 2, TimeSpan.FromMilliseconds(200));
            });
            return seen.Count == 2 && seen.Contains(Thread.CurrentThread) && seen.Count(thread => thread.IsThreadPoolThread) <= 1
                && seen.Exists(thread => thread != Thread.CurrentThread && !thread.IsThreadPoolThread);
        }, Long).Should().BeTrue();
    }

    [Fact]
    public void Run_EveryPart_IsDoneOnceAndBeforeItEnds()
    {
        for (var round = 0; round < 200; round++)
        {
            var (done, next) = (new int[64], -1);
            ThreadTeam.Run(3, () =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < done.Length;)
                {
                    Thread.SpinWait(20);
                    done[i]++;
                }
            });
            done.Should().OnlyContain(times => times == 1);
        }
    }

    [Fact]
    public void Run_WithinWork_Ends()
    {
        var runs = 0;
        ThreadTeam.Run(2, () => ThreadTeam.Run(2, () => Interlocked.Increment(ref runs)));
        runs.Should().BeInRange(1, 4);
    }

    [Fact]
    public void Run_AHelperFails_TellsTheCallerAndHelpsAgain()
    {
        var caller = Thread.CurrentThread;
        FluentActions.Invoking(() =>
        {
            for (var begun = DateTime.UtcNow; DateTime.UtcNow - begun < Long;)
            {
                using var helped = new ManualResetEventSlim();
                ThreadTeam.Run(2, () =>
                {
                    if (Thread.CurrentThread != caller)
                    {
                        helped.Set();
                        throw new FormatException();
                    }

                    helped.Wait(TimeSpan.FromMilliseconds(200));
                });
            }
        }).Should().Throw<FormatException>();
        Run_TwoThreads_AHelperOfItsOwnComes();
    }
}
