using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.ML.KagPrompt.Results.Journal;
using Microsoft.ML.KagPrompt.Results.Tests.Servers;

namespace Microsoft.ML.KagPrompt.Results.Tests.Journal;

public sealed class ResultJournalTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly LogWords log = new();

    [Fact]
    public async Task Open_AfterEntriesWereAcknowledged_GivesThemAgainInOrder()
    {
        await WriteAsync("one", "two", "three");
        await using var journal = Open();
        journal.Pending.Should().Be(3);
        (await ReadAllAsync(journal)).Should().Equal("one", "two", "three");
        journal.Pending.Should().Be(0);
    }

    [Fact]
    public async Task WhenDone_Cancelled_WaitsNoMoreAndOthersDo()
    {
        await WriteAsync("one");
        await using var journal = Open();
        using var cancel = new CancellationTokenSource();
        var (impatient, patient) = (journal.WhenDoneAsync(cancel.Token), journal.WhenDoneAsync(CancellationToken.None));
        journal.Waiting.Should().Be(2);

        await cancel.CancelAsync();

        await FluentActions.Awaiting(() => impatient).Should().ThrowAsync<OperationCanceledException>();
        journal.Waiting.Should().Be(1);
        await ReadAllAsync(journal);
        await patient.WaitAsync(TimeSpan.FromSeconds(30));
        journal.Waiting.Should().Be(0);
    }

    [Fact]
    public async Task Open_AfterAllWereDone_HasNothingAndNoFiles()
    {
        await WriteAsync("one", "two");
        await using (var journal = Open())
        {
            await ReadAllAsync(journal);
        }

        Segments().Should().BeEmpty();
    }

    [Fact]
    public async Task Open_LastEntryTornAtAnyByte_KeepsThoseBeforeAndSaysSo()
    {
        await WriteAsync("one", "two", "three");
        var (path, whole) = (Segments().Single(), File.ReadAllBytes(Segments().Single()));
        var beforeLast = whole.Length - JournalFrame.LengthOf("three".Length);
        for (var length = beforeLast; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            await using (var journal = Open())
            {
                (await PeekAsync(journal)).Should().Equal("one", "two");
            }

            new FileInfo(path).Length.Should().Be(beforeLast);
            (length == beforeLast || new FileInfo(path + JournalRecovery.Damaged).Length == length).Should().BeTrue("a copy is kept");
        }

        log.Words.Where(word => word.StartsWith("Warning", StringComparison.Ordinal)).Should().HaveCount(whole.Length - beforeLast - 1)
            .And.AllSatisfy(word => word.Should().Contain("never acknowledged, or damaged by the disk. They are cut off, 2 entries stay"));
    }

    [Fact]
    public async Task Open_AnyByteOfAnEntryDamaged_KeepsAllOtherEntriesAndACopy()
    {
        await WriteAsync("one", "two", "three");
        var (path, whole) = (Segments().Single(), File.ReadAllBytes(Segments().Single()));
        var second = JournalSegment.HeaderLength + JournalFrame.LengthOf("one".Length);
        for (var at = second; at < second + JournalFrame.LengthOf("two".Length); at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 0x41;
            File.WriteAllBytes(path, damaged);
            await using (var journal = Open())
            {
                (await PeekAsync(journal)).Should().Equal("one", "three");
            }

            File.ReadAllBytes(path + JournalRecovery.Damaged).Should().Equal(damaged);
        }

        log.Words.Should().Contain(word => word.StartsWith("Error", StringComparison.Ordinal) && word.Contains("entries there are lost"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(15)]
    public async Task Open_SegmentWhoseBeginningIsCut_IsDropped(int length)
    {
        await WriteAsync("one");
        File.WriteAllBytes(Segments().Single(), File.ReadAllBytes(Segments().Single())[..length]);
        await using var journal = Open();
        journal.Pending.Should().Be(0);
    }

    [Fact]
    public async Task Open_OfANewerFormat_IsRefusedAndLeft()
    {
        await WriteAsync("one");
        var bytes = File.ReadAllBytes(Segments().Single());
        bytes[7] = (byte)'2';
        File.WriteAllBytes(Segments().Single(), bytes);
        FluentActions.Invoking(Open).Should().Throw<ResultStoreException>().WithMessage("*no journal of this version*KAGRES01*");
        File.ReadAllBytes(Segments().Single()).Should().Equal(bytes);
    }

    [Fact]
    public async Task Open_FolderInUse_IsRefusedUntilItIsLetGo()
    {
        await using (Open())
        {
            FluentActions.Invoking(Open).Should().Throw<ResultStoreException>().WithMessage("*in use by another process*");
        }

        await using var again = Open();
        again.Pending.Should().Be(0);
    }

    [Fact]
    public async Task Append_FullJournal_RefusesUntilEntriesAreDone()
    {
        await using var journal = Open(maxBytes: 1 << 20);
        var entry = new byte[60_000];
        for (var i = 0; i < 17; i++)
        {
            await journal.AppendAsync(entry, default);
        }

        await journal.Awaiting(full => full.AppendAsync(entry, default)).Should().ThrowAsync<JournalFullException>()
            .WithMessage("*17 results wait*");
        var batch = await journal.ReadAsync(17, default);
        batch.Entries.Should().HaveCount(2, "that is one segment, of an eighth of the room");
        journal.Complete(batch);
        await journal.AppendAsync(entry, default);
        journal.Pending.Should().Be(16);
    }

    [Fact]
    public async Task Append_AfterMuchCameAtOnceAndIsDone_HasRoomAgain()
    {
        await using var journal = Open(maxBytes: 1 << 20);
        for (var round = 0; round < 3; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 15).Select(_ => journal.AppendAsync(new byte[60_000], default)));
            await ReadAllAsync(journal);
        }
    }

    [Fact]
    public async Task Append_DiskRefuses_IsNotAcknowledgedAndLaterOnesAre()
    {
        await using var journal = Open();
        // No file can be begun where a folder has its name.
        Directory.CreateDirectory(folder.In(JournalSegment.NameOf(1)));
        await journal.Awaiting(broken => broken.AppendAsync([1], default)).Should().ThrowAsync<Exception>();
        journal.Pending.Should().Be(0);
        await journal.AppendAsync("two"u8.ToArray(), default);
        (await ReadAllAsync(journal)).Should().Equal("two");
    }

    [Fact]
    public async Task Append_ManyAtOnce_AreAllThereOnce()
    {
        var entries = Enumerable.Range(0, 2000).Select(i => $"{i}").ToArray();
        await using (var journal = Open())
        {
            await Task.WhenAll(entries.Select(entry => Task.Run(() => journal.AppendAsync(Encoding.UTF8.GetBytes(entry), default))));
        }

        await using var again = Open();
        (await ReadAllAsync(again)).Should().BeEquivalentTo(entries);
    }

    [Fact]
    public async Task Append_OverSeveralSegments_LosesNoneAndDeletesThoseThatAreDone()
    {
        await using var journal = Open(maxBytes: 2 << 20);
        for (var i = 0; i < 20; i++)
        {
            await journal.AppendAsync(new byte[50_000], default);
        }

        Segments().Should().HaveCountGreaterThan(3);
        (await ReadAllAsync(journal)).Should().HaveCount(20);
        Segments().Should().ContainSingle("the one that is written to");
    }

    [Fact]
    public async Task Append_CancelledOrTooLong_IsRefusedBeforehand()
    {
        await using var journal = Open();
        await journal.Awaiting(open => open.AppendAsync([1], new CancellationToken(true))).Should()
            .ThrowAsync<OperationCanceledException>();
        await journal.Awaiting(open => open.AppendAsync(new byte[JournalFrame.MostBytes + 1], default)).Should()
            .ThrowAsync<ArgumentException>();
        journal.Pending.Should().Be(0);
    }

    [Fact]
    public async Task WhenDone_OnlyAfterTheEntriesBeforeIt_Ends()
    {
        await using var journal = Open();
        journal.WhenDoneAsync(default).IsCompleted.Should().BeTrue();
        await journal.AppendAsync([1], default);
        await journal.AppendAsync([2], default);
        var done = journal.WhenDoneAsync(default);
        journal.Complete(await journal.ReadAsync(1, default));
        done.IsCompleted.Should().BeFalse();
        await journal.AppendAsync([3], default);
        journal.Complete(await journal.ReadAsync(1, default));
        await done;
        journal.Pending.Should().Be(1);
    }

    public void Dispose() => folder.Dispose();

    private ResultJournal Open() => Open(1 << 30);

    private ResultJournal Open(long maxBytes) => new(folder.Path, maxBytes, TimeProvider.System, log);

    private string[] Segments() => Directory.GetFiles(folder.Path, "*" + JournalSegment.Extension);

    private async Task WriteAsync(params string[] entries)
    {
        await using var journal = Open();
        foreach (var entry in entries)
        {
            await journal.AppendAsync(Encoding.UTF8.GetBytes(entry), default);
        }
    }

    private static async Task<string[]> PeekAsync(ResultJournal journal)
        => [.. (await journal.ReadAsync(100, default)).Entries.Select(Encoding.UTF8.GetString)];

    private static async Task<List<string>> ReadAllAsync(ResultJournal journal)
    {
        var entries = new List<string>();
        while (journal.Pending > 0)
        {
            var batch = await journal.ReadAsync(700, default);
            entries.AddRange(batch.Entries.Select(Encoding.UTF8.GetString));
            journal.Complete(batch);
        }

        return entries;
    }
}
