using System.Diagnostics;
using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt.Tests.Files;

public sealed class WholeFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("whole-").FullName;

    private string Target => Path.Combine(folder, "model.zip");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Write_WriterThrows_LeavesTheOldFileAndNothingBeside()
    {
        WholeFile.Write(Target, "old");

        var writing = () => WholeFile.Write(Target, stream =>
        {
            stream.Write("half"u8);
            throw new InvalidOperationException("out of paper");
        });

        writing.Should().Throw<InvalidOperationException>().WithMessage("out of paper");
        File.ReadAllText(Target).Should().Be("old");
        Directory.GetFileSystemEntries(folder).Should().Equal(Target);
    }

    [Fact]
    public void Write_TargetIsAFolder_LeavesNothingBeside()
    {
        Directory.CreateDirectory(Target);

        var writing = () => WholeFile.Write(Target, "new");

        writing.Should().Throw<Exception>().Which.Should().Match(fault => fault is IOException || fault is UnauthorizedAccessException);
        Directory.GetFileSystemEntries(folder).Should().Equal(Target);
    }

    [Fact]
    public void Write_Done_FlushesTheFolderWhenTheFileIsInPlace()
    {
        var flushed = new List<(string Folder, string Text, int Files)>();

        WholeFile.Write(Target, stream => stream.Write("new"u8),
            flushFolder: path => flushed.Add((path, File.ReadAllText(Target), Directory.GetFileSystemEntries(folder).Length)));

        flushed.Should().Equal((folder, "new", 1));
    }

    [Fact]
    public void Write_FolderIsNotThere_MakesIt()
    {
        var deep = Path.Combine(folder, "a", "b", "text");

        WholeFile.Write(deep, "new");

        File.ReadAllText(deep).Should().Be("new");
    }

    [Fact]
    public void Write_LeftoverOfADeadProcess_IsSweptAndThatOfALivingOneStays()
    {
        using var ended = Process.Start(new ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!;
        ended.WaitForExit();
        var (dead, alive, other) = ($"{Target}.{ended.Id}-0a1b2c3d.tmp", $"{Target}.{Environment.ProcessId}-0a1b2c3d.tmp",
            Path.Combine(folder, $"other.{ended.Id}-0a1b2c3d.tmp"));
        Array.ForEach([dead, alive, other], path => File.WriteAllText(path, "half"));

        WholeFile.Write(Target, "new");

        Directory.GetFiles(folder).Should().BeEquivalentTo(Target, alive, other);
    }

    [Fact]
    public void Write_Link_ReplacesItsTarget()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var link = Path.Combine(folder, "link");
        WholeFile.Write(Target, "old");
        File.CreateSymbolicLink(link, Target);

        WholeFile.Write(link, "new");

        File.ReadAllText(Target).Should().Be("new");
        File.ResolveLinkTarget(link, false)!.FullName.Should().Be(Target);
    }

    [Fact]
    public void Flush_FolderThatIsNotThere_SaysSo()
    {
        if (!OperatingSystem.IsWindows())
        {
            FluentActions.Invoking(() => DurableFolder.Flush(Path.Combine(folder, "none"))).Should().Throw<IOException>().WithMessage("*none*");
        }
    }
}
