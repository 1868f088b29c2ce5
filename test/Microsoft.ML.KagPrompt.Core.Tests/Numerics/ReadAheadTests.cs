using System.Collections.Concurrent;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

/// <summary>Batches read on another thread: in order, one ahead and no more, faults in their places, nothing left behind.</summary>
public sealed class ReadAheadTests
{
    [Theory]
    [InlineData(0, 4)]
    [InlineData(7, 4)]
    [InlineData(8, 4)]
    [InlineData(5, 1)]
    public void Next_AnyLength_GivesAllInOrderInBatches(int count, int batch)
    {
        using var ahead = new ReadAhead<int>(_ => Enumerable.Range(0, count), (_, n) => n == batch);
        var batches = All(ahead);
        batches.SelectMany(items => items).Should().Equal(Enumerable.Range(0, count));
        batches.SkipLast(1).All(items => items.Count == batch).Should().BeTrue();
        ahead.Next().Should().BeEmpty("it stays at its end");
    }

    [Fact]
    public void Next_WhileABatchIsUsed_ReadsTheNextAndNoMore()
    {
        using var next = new SemaphoreSlim(0);
        var read = 0;
        using var ahead = new ReadAhead<int>(_ => Enumerable.Range(0, 100).Select(i =>
        {
            Interlocked.Increment(ref read);
            next.Release();
            return i;
        }), (_, n) => n == 4);
        read.Should().Be(0, "nothing is read before it is asked for");
        ahead.Next().Should().Equal(0, 1, 2, 3);
        for (var i = 0; i < 8; i++)
        {
            next.Wait(TimeSpan.FromSeconds(30)).Should().BeTrue("the next batch is read though nobody asked for it");
        }

        next.Wait(TimeSpan.FromMilliseconds(50)).Should().BeFalse("of batches not asked for there is one at most");
        read.Should().Be(8);
    }

    [Fact]
    public void Next_SourceFails_GivesWhatCameBeforeAndThenFailsAgainAndAgain()
    {
        using var ahead = new ReadAhead<int>(_ => Enumerable.Range(0, 10).Select(i => i == 5 ? throw new FormatException("the sixth") : i),
            (_, n) => n == 4);
        ahead.Next().Should().Equal(0, 1, 2, 3);
        ahead.Next().Should().Equal(4);
        FluentActions.Invoking(ahead.Next).Should().Throw<FormatException>().WithMessage("the sixth");
        FluentActions.Invoking(ahead.Next).Should().Throw<FormatException>("an end would look as if all had come");
    }

    [Fact]
    public void Dispose_WhileTheSourceWaits_CancelsAndAwaitsIt()
    {
        var events = new ConcurrentQueue<string>();
        var ahead = new ReadAhead<int>(stop => Waiting(stop, events), (_, n) => n == 1);
        ahead.Next().Should().Equal(1);
        SpinWait.SpinUntil(() => !events.IsEmpty, TimeSpan.FromSeconds(30)).Should().BeTrue();
        ahead.Dispose();
        events.Should().Equal("waits", "cancelled", "disposed");
        ahead.Dispose();
        FluentActions.Invoking(ahead.Next).Should().Throw<ObjectDisposedException>();
    }

    [Fact]
    public void Next_Cancelled_Throws()
    {
        using var cancellation = new CancellationTokenSource();
        using var ahead = new ReadAhead<int>(stop => Waiting(stop, []), (_, n) => n == 1, cancellation.Token);
        ahead.Next().Should().Equal(1);
        cancellation.Cancel();
        FluentActions.Invoking(ahead.Next).Should().Throw<OperationCanceledException>();
    }

    private static IEnumerable<int> Waiting(CancellationToken stop, ConcurrentQueue<string> events)
    {
        try
        {
            yield return 1;
            events.Enqueue("waits");
            stop.WaitHandle.WaitOne();
            events.Enqueue("cancelled");
            stop.ThrowIfCancellationRequested();
        }
        finally
        {
            events.Enqueue("disposed");
        }
    }

    private static List<IReadOnlyList<int>> All(ReadAhead<int> ahead)
    {
        var batches = new List<IReadOnlyList<int>>();
        while (ahead.Next() is { Count: > 0 } batch)
        {
            batches.Add(batch);
        }

        return batches;
    }
}
