using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Station.Lines;

namespace Microsoft.ML.KagPrompt.Station.Tests.Lines;

public sealed class LineWorkerTests
{
    private static readonly byte[] Good = Picture(1);

    [Fact]
    public async Task Line_CompleteFiles_AreInspectedOnceAndMoved()
    {
        await using var bench = await LineBench.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            bench.Put($"{i}.png", Picture(i));
        }

        bench.Put("half.png.tmp", Good);
        bench.Put(".hidden.png", Good);
        var state = bench.Watch();
        await LineBench.UntilAsync(() => state.Total == 3 && state.Status == LineStatus.Waiting);
        Directory.GetFiles(bench.Folder).Select(Path.GetFileName).Should().BeEquivalentTo("half.png.tmp", ".hidden.png");
        Directory.GetFiles(Path.Combine(bench.Folder, "done")).Should().HaveCount(3);
        (await bench.ResultsAsync()).Should().HaveCount(3).And.OnlyContain(result => result.Line == "line" && result.PictureHash != null
            && result.MapHash != null);
    }

    [Fact]
    public async Task Line_FileThatGrows_IsNotTakenBeforeItIsWhole()
    {
        await using var bench = await LineBench.StartAsync();
        var state = bench.Watch();
        var path = bench.Put("slow.png", Good[..(Good.Length / 2)]);
        for (var at = Good.Length / 2; at < Good.Length; at += 1 + (Good.Length / 8))
        {
            await Task.Delay(LineWorker.Interval * 1.5);
            await using var file = new FileStream(path, FileMode.Append);
            file.Write(Good.AsSpan(at, Math.Min(1 + (Good.Length / 8), Good.Length - at)));
        }

        await LineBench.UntilAsync(() => state.Total == 1);
        state.Failed.Should().Be(0);
    }

    [Fact]
    public async Task Line_SameFileAgainAfterItWasRecorded_IsMovedAndNotInspected()
    {
        await using var bench = await LineBench.StartAsync();
        var time = DateTime.UtcNow.AddMinutes(-1);
        File.SetLastWriteTimeUtc(bench.Put("a.png", Good), time);
        var state = bench.Watch();
        await LineBench.UntilAsync(() => state.Total == 1 && state.Status == LineStatus.Waiting);
        await bench.StopAsync();

        // As if the process had been killed between recording and moving.
        File.Move(Path.Combine(bench.Folder, "done", "a.png"), Path.Combine(bench.Folder, "a.png"));
        var after = bench.Watch();
        await LineBench.UntilAsync(() => File.Exists(Path.Combine(bench.Folder, "done", "a.png")) && after.Status == LineStatus.Waiting);
        bench.Inspector.Count.Should().Be(1);
        (await bench.ResultsAsync()).Should().ContainSingle();
    }

    [Fact]
    public async Task Line_AnotherFileOfTheSameName_IsAnotherPart()
    {
        await using var bench = await LineBench.StartAsync();
        var state = bench.Watch();
        bench.Put("part.png", Good);
        await LineBench.UntilAsync(() => state.Total == 1);
        bench.Put("part.png", Picture(2));
        await LineBench.UntilAsync(() => state.Total == 2 && Directory.GetFiles(bench.Folder).Length == 0);
        Directory.GetFiles(Path.Combine(bench.Folder, "done")).Should().HaveCount(2, "the first one is not written over");
    }

    [Fact]
    public async Task Line_ThatLeavesPictures_InspectsEachOnce_AlsoAfterARestart()
    {
        await using var bench = await LineBench.StartAsync();
        bench.Put("a.png", Good);
        var state = bench.Watch(leave: true);
        await LineBench.UntilAsync(() => state.Total == 1);
        await Task.Delay(LineWorker.Interval * 4);
        await bench.StopAsync();
        var after = bench.Watch(leave: true);
        bench.Put("b.png", Picture(2));
        await LineBench.UntilAsync(() => after.Total == 1);
        await Task.Delay(LineWorker.Interval * 4);
        after.Total.Should().Be(1, "the first one was a part before");
        bench.Inspector.Count.Should().Be(2);
        File.Exists(Path.Combine(bench.Folder, "a.png")).Should().BeTrue();
    }

    [SkippableFact]
    public async Task Line_PipeCalledAPicture_FailsAndTheNextIsInspected()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no pipes in folders");
        await using var bench = await LineBench.StartAsync();
        using (var make = System.Diagnostics.Process.Start("mkfifo", [Path.Combine(bench.Folder, "a.png")])!)
        {
            await make.WaitForExitAsync();
        }

        bench.Put("b.png", Good);
        var state = bench.Watch();
        await LineBench.UntilAsync(() => state.Total == 1);
        File.Exists(Path.Combine(bench.Folder, "failed", "a.png")).Should().BeTrue();
    }

    [Fact]
    public void List_MoreFilesThanOneLookTakes_GoesOnBehindThoseThatAreLeft()
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-many-");
        try
        {
            for (var i = 0; i < 1200; i++)
            {
                File.WriteAllBytes(Path.Combine(folder.FullName, $"{i:0000}.png"), []);
            }

            var first = WatchedFolder.List(folder.FullName, _ => false).Select(file => file.Name).ToHashSet();
            first.Should().HaveCount(1000);
            WatchedFolder.List(folder.FullName, file => first.Contains(file.Name)).Should().HaveCount(200);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Line_FileThatIsNoPicture_GoesToFailed_WithItsReason()
    {
        await using var bench = await LineBench.StartAsync();
        File.SetLastWriteTimeUtc(bench.Put("notes.txt", "no picture"u8.ToArray()),
            DateTime.UtcNow - LineWorker.Patience - TimeSpan.FromSeconds(1));
        var state = bench.Watch();
        await LineBench.UntilAsync(() => state.Failed == 1);
        File.Exists(Path.Combine(bench.Folder, "failed", "notes.txt")).Should().BeTrue();
        state.LastFailure.Should().Contain("notes.txt");
    }

    [Fact]
    public async Task Line_WithoutAModel_KeepsTheFileUntilThereIsOne()
    {
        await using var bench = await LineBench.StartAsync();
        bench.Inspector.Fault = new InspectionRefusedException(RefusalReason.ProductUnknown, "There is no 'washer'.");
        bench.Put("a.png", Good);
        var state = bench.Watch();
        await LineBench.UntilAsync(() => state.Status == LineStatus.NoModel);
        File.Exists(Path.Combine(bench.Folder, "a.png")).Should().BeTrue();
        bench.Inspector.Fault = null;
        await LineBench.UntilAsync(() => state.Total == 1 && state.Status == LineStatus.Waiting);
        state.Message.Should().BeNull("what was wrong is right again");
    }

    [Fact]
    public async Task Line_WhenPaused_TakesNothing()
    {
        await using var bench = await LineBench.StartAsync();
        bench.Put("a.png", Good);
        var state = bench.Watch();
        state.IsPaused = true;
        await LineBench.UntilAsync(() => state.Status == LineStatus.Paused);
        var before = state.Total;
        bench.Put("b.png", Picture(2));
        await Task.Delay(LineWorker.Interval * 4);
        state.Total.Should().Be(before);
        state.IsPaused = false;
        await LineBench.UntilAsync(() => state.Total == 2);
    }

    private static byte[] Picture(int seed) => ImageCodec.EncodePng(QuickStart.PartRenderer.Render(seed, null).Picture);
}
