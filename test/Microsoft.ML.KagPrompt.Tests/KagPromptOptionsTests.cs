namespace Microsoft.ML.KagPrompt.Tests;

public class KagPromptOptionsTests
{
    [Fact]
    public void ShortNames_Set_AreTheGroupsOwnAndLeaveTheRest()
    {
        var options = new KagPromptOptions
        {
            Training = new() { BatchSize = 3 },
            Epochs = 7,
            ImageSize = 112,
            MaxSupportImages = 2,
            ClassNameColumnName = "a",
            LabelColumnName = "b",
            SupportColumnName = "c",
            HeatmapColumnName = "d",
            MapResolution = MapResolution.Image,
        };
        options.Training.Should().Be(new TrainingOptions { BatchSize = 3, Epochs = 7 });
        options.Images.Should().Be(new ImageOptions { Size = 112 });
        options.Memory.Should().Be(new MemoryOptions { MaxSupportImages = 2 });
        options.Columns.Should().Be(new ColumnOptions { ClassName = "a", Label = "b", Support = "c", Heatmap = "d", MapResolution = MapResolution.Image });
        (options with { Training = new() { Epochs = 1 } }).Epochs.Should().Be(1);
    }

    [Fact]
    public void Lists_ChangedAfterwards_ChangeNothing()
    {
        var own = new Dictionary<string, SynthesisOptions>();
        var options = new KagPromptOptions { Synthesis = own };
        own.Add("part", new SynthesisOptions());
        options.Synthesis.Should().BeEmpty();
    }
}
