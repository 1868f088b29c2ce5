using Microsoft.ML.Data;

namespace Microsoft.ML.KagPrompt.Examples.Tests;

/// <summary>The examples that run and end.</summary>
public sealed class ProgramTests(PartFolder parts) : IClassFixture<PartFolder>
{
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void QuickStart_Folder_SavesReloadsAndDraws()
    {
        var (code, output, error) = Example.Run("QuickStart", parts.Bolt, "--out", parts.In("demo"), "--epochs", "0");
        (code, error).Should().Be((0, ""));
        output.Should().Contain("the same scores and maps, bit for bit").And.Contain("Image AUROC: 1.000").And.Contain("Threshold");
        File.Exists(parts.In("demo/part.zip")).Should().BeTrue();
        File.ReadAllText(parts.In("demo/index.html")).Should().Contain("bar/0.png");
    }

    [Fact]
    public void Evaluate_Dataset_PrintsMetrics()
    {
        var (code, output, error) = Example.Run("Evaluate", parts.Bolt, "0");
        (code, error).Should().Be((0, ""));
        output.Should().StartWith("bolt: image AUROC 1").And.Contain("AUPRO 0.");
    }

    [Fact]
    public void AdaptToNewPart_ModelWithoutClasses_ScoresAsWithSupportDoes()
    {
        var zip = parts.Model();
        var (code, output, error) = Example.Run("AdaptToNewPart", zip, parts.In("other"), parts.In("adapted.zip"));
        (code, error).Should().Be((0, ""));
        output.Should().StartWith("5 photographs of 'object'. Threshold").And.Contain("It knows 'object'.");

        var (supports, queries) = (PartFolder.Rows("", Directory.GetFiles(parts.In("other"))), PartFolder.Rows("", parts.Good, parts.In("other/0.png")));
        var loaded = (IEnumerable<ITransformer>)ml.Model.Load(zip, out _);
        using var adapted = loaded.OfType<KagPromptTransformer>().Single().WithSupport(loaded.First().Transform(supports));
        var saved = ml.Model.Load(parts.In("adapted.zip"), out _);
        saved.Transform(queries).GetColumn<float>("Score").Should().Equal(adapted.Transform(loaded.First().Transform(queries)).GetColumn<float>("Score"));
        saved.Transform(queries).GetColumn<bool>("PredictedLabel").Should().Equal(true, false);
        (loaded as IDisposable)!.Dispose();
        (saved as IDisposable)!.Dispose();
    }

    [Fact]
    public void AdaptToNewPart_ModelWithClasses_AddsOne()
    {
        var (code, output, error) = Example.Run("AdaptToNewPart", parts.Model(knowsClasses: true), parts.In("other"), parts.In("two.zip"), "nut");
        (code, error).Should().Be((0, ""));
        output.Should().Contain("It knows 'bolt', 'nut'.");
        var saved = ml.Model.Load(parts.In("two.zip"), out _);
        saved.Transform(PartFolder.Rows("nut", parts.In("other/0.png"))).GetColumn<bool>("PredictedLabel").Should().Equal(false);
        saved.Transform(PartFolder.Rows("bolt", parts.In("other/0.png"))).GetColumn<bool>("PredictedLabel").Should().Equal(true);
        (saved as IDisposable)!.Dispose();
    }

    [Fact]
    public void OwnPromptsAndThresholds_Dataset_ExplainsAndMovesTheThreshold()
    {
        var (code, output, error) = Example.Run("OwnPromptsAndThresholds", parts.Bolt, "1", "56");
        (code, error).Should().Be((0, ""));
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Should().HaveCount(4);
        lines[0].Should().StartWith("bolt: Threshold").And.Contain("It may be expected to reject");
        lines[1].Should().MatchRegex("^as fitted: . of 2 good parts rejected, 0 of 2 bad ones missed");
        lines[2].Should().Contain("set by the user");
        lines[3].Should().MatchRegex("^moved: . of 2 good parts rejected, 0 of 2 bad ones missed");
    }

    [Fact]
    public void SmallComputer_ExportedFile_TellsWhichPhotographsAreDefective()
    {
        using (var model = (TransformerChain<ITransformer>)ml.Model.Load(parts.Model(), out _))
        {
            model.OfType<KagPromptTransformer>().Single().ExportOnnx(parts.In("bolt.onnx"));
        }

        var (code, output, error) = Example.Run("SmallComputer", parts.In("bolt.onnx"), parts.In("bolt/test"), "1");
        (code, error).Should().Be((1, ""), "two are defective");
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines[0].Should().StartWith("object: Threshold");
        lines[1..].Select(line => line.Split(',')[0].Replace('\\', '/')).Should().Equal("bar/0.png: ANOMALOUS (the score exceeds the threshold)",
            "bar/1.png: ANOMALOUS (the score exceeds the threshold)", "good/0.png: good", "good/1.png: good");
        Example.Run("SmallComputer", parts.In("bolt.onnx"), parts.In("bolt/test/good")).Code.Should().Be(0);
    }

    [Theory]
    [InlineData(3, "There is no folder", "QuickStart", "absent")]
    [InlineData(2, "Usage", "Evaluate")]
    [InlineData(3, "There is no folder", "Evaluate", "absent")]
    [InlineData(2, "Usage", "AdaptToNewPart", "part.zip")]
    [InlineData(3, "There is no folder", "AdaptToNewPart", "absent.zip", "absent", "new.zip")]
    [InlineData(2, "Usage", "OwnPromptsAndThresholds", "absent", "many")]
    [InlineData(3, "There is no folder", "OwnPromptsAndThresholds", "absent")]
    [InlineData(2, "Usage", "SmallComputer", "absent.onnx")]
    [InlineData(3, "There is no folder", "SmallComputer", "absent.onnx", "absent")]
    [InlineData(3, "There is no exported model", "SmallComputer", "absent.onnx", ".")]
    [InlineData(2, "Usage", "ScoringService")]
    [InlineData(3, "absent.zip", "ScoringService", "--model", "absent.zip")]
    public void Run_WrongArguments_SaysSo(int code, string message, string name, params string[] arguments)
    {
        var (actual, _, error) = Example.Run(name, name == "QuickStart" ? [.. arguments, "--out", parts.In("nothing")] : arguments);
        actual.Should().Be(code);
        error.Should().Contain(message).And.NotContain("   at ");
    }

    [Fact]
    public void RunFromSources_InAnotherFolder_LooksForTheModelThere()
        => Example.RunFromSources("ScoringService", AppContext.BaseDirectory, "--model", "absent.zip")
            .Should().Contain(Path.Combine(AppContext.BaseDirectory, "absent.zip"));
}
