using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Architecture;

public class LineLengthTests
{
    private const int Longest = 140;

    [Fact]
    public void Sources_FitAWindow()
    {
        var files = Directory.GetFiles(Path.Combine(SharedFiles.RepositoryRoot, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(SharedFiles.RepositoryRoot, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj")).ToArray();
        files.Should().HaveCountGreaterThan(300, "the sources are found");
        files.SelectMany(file => File.ReadLines(Path.Combine(SharedFiles.RepositoryRoot, file))
                .Select((line, i) => (Place: $"{file}:{i + 1}", line.Length)).Where(line => line.Length > Longest))
            .Should().BeEmpty($"a line has at most {Longest} characters");
    }
}
