using System.Text;
using Microsoft.ML.KagPrompt.Datasets;

namespace Microsoft.ML.KagPrompt.Tests.Datasets;

public sealed class PhotographFilesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-photographs-").FullName;

    [Fact]
    public void Below_NamesAndContents_TellPhotographs()
    {
        Touch("a.PNG", "b.tif", "c/d.webp", "c/._d.webp", "c/notes.txt", "e.heic");
        Write("f", "\u00FF\u00D8\u00FFx");
        Write("g.txt", "P6 is the name of a part");
        Names(PhotographFiles.Below(folder)).Should().Equal("a.PNG", "b.tif", "c/d.webp", "e.heic", "f");
        Names(PhotographFiles.LeftOut(folder)).Should().Equal("b.tif", "e.heic", "f");
        Names(PhotographFiles.Below(folder, depth: 0)).Should().Equal("a.PNG", "b.tif", "e.heic", "f");
        PhotographFiles.Describe(PhotographFiles.LeftOut(folder), folder).Should().StartWith("3 photograph(s)").And.Contain("1 .tif").And.Contain("1 without extension").And.Contain("e.heic");
    }

    [Fact]
    public void Below_Links_GiveEachFileOnceByItsOwnName()
    {
        Touch("a/x.png", "run1/y.png");
        Directory.CreateSymbolicLink(In("a/up"), "..");
        Directory.CreateSymbolicLink(In("latest"), "run1");
        File.CreateSymbolicLink(In("a/z.png"), In("a/x.png"));
        File.CreateSymbolicLink(In("gone.png"), In("absent.png"));
        Names(PhotographFiles.Below(folder)).Should().Equal("a/x.png", "gone.png", "run1/y.png");
        Names(PhotographFiles.Below(In("latest"))).Should().Equal("latest/y.png");
        PhotographFiles.RealPathOf(In("a/up/latest/y.png")).Should().Be(PhotographFiles.RealPathOf(In("run1/y.png")));
    }

    [Fact]
    public void RealPathOf_LinksInACircle_Ends()
    {
        File.CreateSymbolicLink(In("one"), In("two"));
        File.CreateSymbolicLink(In("two"), In("one"));
        PhotographFiles.RealPathOf(In("one/x.png")).Should().EndWith("x.png");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private IEnumerable<string> Names(IEnumerable<string> paths) => paths.Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'));

    private string In(string name) => Path.Combine(folder, name);

    private void Touch(params string[] names)
    {
        foreach (var name in names)
        {
            Write(name, "");
        }
    }

    private void Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        File.WriteAllBytes(In(name), Encoding.Latin1.GetBytes(content));
    }
}
