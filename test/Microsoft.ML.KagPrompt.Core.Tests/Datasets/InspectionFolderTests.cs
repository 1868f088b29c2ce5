using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Tests.Datasets;

public sealed class InspectionFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-folders-").FullName;

    [Fact]
    public void List_MvTecLayout_FindsSplitsTypesAndMasks()
    {
        Touch("train/good/1.png", "train/good/0.png", "train/good/notes.txt", "test/good/5.jpg", "test/crack/2.bmp", "ground_truth/crack/2_mask.png", "test/hole/3.png", "ground_truth/hole/3.png");
        var files = InspectionFolder.List(folder);
        files.Where(file => file.IsTraining).Select(file => Path.GetFileName(file.Path)).Should().Equal("0.png", "1.png");
        files.Where(file => !file.IsTraining).Select(file => (file.DefectType, file.IsAnomalous, Path.GetFileName(file.MaskPath)))
            .Should().Equal(("crack", true, "2_mask.png"), ("good", false, null), ("hole", true, "3.png"));
    }

    [Fact]
    public void List_GoodAndOthers_LabelsByFolder()
    {
        Touch("good/a.png", "scratched/b.png", "query/c.png");
        InspectionFolder.List(folder).Select(file => (file.DefectType, file.IsTraining, file.IsAnomalous))
            .Should().Equal(("good", true, false), ("query", false, null), ("scratched", false, true));
    }

    [Fact]
    public void List_PlainImages_AreForFitting()
    {
        Touch("a.png", "b.JPG");
        InspectionFolder.List(folder).Should().HaveCount(2).And.OnlyContain(file => file.IsTraining);
    }

    [Fact]
    public void List_NoImages_NamesTheFoldersItLookedFor()
        => FluentActions.Invoking(() => InspectionFolder.List(folder)).Should().Throw<InsufficientDataException>().WithMessage("*'train/good'*'good'*");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Touch(params string[] names)
    {
        foreach (var name in names)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, []);
        }
    }
}
