using Microsoft.ML.KagPrompt.Datasets;

namespace Microsoft.ML.KagPrompt.Tests.Datasets;

public sealed class IdenticalFilesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-identical-").FullName;

    [Fact]
    public void InTrainAndTest_SameBytes_AreFoundWithinAClass()
    {
        DatasetImage[] images =
        [
            Image("train0", "bolt", DatasetSplit.Train, "same"), Image("train1", "bolt", DatasetSplit.Train, "sama"), Image("test0", "bolt", DatasetSplit.Test, "same"),
            Image("test1", "bolt", DatasetSplit.Test, "some"), Image("test2", "nut", DatasetSplit.Test, "same"), Image("absent", "bolt", DatasetSplit.Test, null),
        ];
        var pair = IdenticalFiles.InTrainAndTest(images).Should().ContainSingle().Which;
        (Path.GetFileName(pair.Test.Path), Path.GetFileName(pair.Train.Path)).Should().Be(("test0", "train0"));
        IdenticalFiles.Warning(images, folder).Should().StartWith("1 of 4 images").And.Contain("identical").And.Contain("test0 = train0");
        IdenticalFiles.Warning(images[3..], folder).Should().BeNull();
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private DatasetImage Image(string name, string product, DatasetSplit split, string? content)
    {
        var path = Path.Combine(folder, name);
        if (content is not null)
        {
            File.WriteAllText(path, content);
        }

        return new(path, product, split, false, "good", null);
    }
}
