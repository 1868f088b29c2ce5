using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>kagprompt threshold, and what info tells of a model.</summary>
public sealed class ThresholdCommandTests(FittedPart part) : IClassFixture<FittedPart>
{
    [Fact]
    public void Threshold_Set_MovesItAndLeavesScoresAsTheyAre()
    {
        var image = part.In("test/good/0.png");
        var before = Score(part.Model, image);
        var (code, output, error) = Tool.Run("threshold", part.Model, "--set", "0.0125", "--out", part.In("moved.zip"));
        code.Should().Be(0, error);
        output.Should().Contain("bolt: Threshold 0.0125: set by the user.").And.MatchRegex(@"Written to .*moved\.zip \(\d+\.\d MB\)\.");
        var after = Score(part.In("moved.zip"), image);
        after.GetProperty("threshold").GetDouble().Should().BeApproximately(0.0125, 1e-6);
        after.GetProperty("score").GetRawText().Should().Be(before.GetProperty("score").GetRawText());
        after.GetProperty("anomalous").GetBoolean().Should().BeTrue("every part scores above that");
        before.GetProperty("anomalous").GetBoolean().Should().BeFalse();
    }

    [Fact]
    public void Threshold_FalseRejects_PlacesItByWhatTheModelExpectsOfNormalScores()
    {
        var scores = Class(part.Model).GetProperty("normalScores").EnumerateArray().Select(score => score.GetSingle()).ToArray();
        scores.Should().HaveCount(6).And.BeInAscendingOrder();
        Tool.Run("threshold", part.Model, "--false-rejects", "0.5", "--out", part.In("half.zip")).Code.Should().Be(0);
        var half = Class(part.In("half.zip"));
        half.GetProperty("threshold").GetSingle()
            .Should().BeInRange(scores[0] * 0.9f, scores[^1]).And.BeLessThan(Class(part.Model).GetProperty("threshold").GetSingle());
        half.GetProperty("method").GetString().Should().Contain("6 normal score(s)");
        half.GetProperty("falseRejectRate").GetDouble().Should().BeApproximately(0.5, 1e-4);

        Tool.Run("threshold", part.In("half.zip"), "--false-rejects", "0.12", "--out", part.In("half.zip")).Code
            .Should().Be(0, "a model may be written in its own place");
        var again = Class(part.In("half.zip"));
        again.GetProperty("threshold").GetSingle()
            .Should().Be(Class(part.Model).GetProperty("threshold").GetSingle(), "it is what the fit asked for");
        Directory.GetFiles(part.Folder, "*.tmp").Should().BeEmpty();
    }

    [Fact]
    public void Threshold_OneClassOfTwo_LeavesTheOther()
    {
        Tool.Run("adapt", part.Model, part.In("train/good"), "--class", "nut", "--out", part.In("two.zip")).Code.Should().Be(0);
        var nut = Class(part.In("two.zip"), "nut").GetProperty("threshold").GetSingle();
        Tool.Run("threshold", part.In("two.zip"), "--class", "bolt", "--set", "0.75", "--out", part.In("two.zip")).Code.Should().Be(0);
        Class(part.In("two.zip"), "bolt").GetProperty("threshold").GetSingle().Should().Be(0.75f);
        Class(part.In("two.zip"), "nut").GetProperty("threshold").GetSingle().Should().Be(nut);
        // Of two classes, a path that names none gets an answer, and the next one its score.
        Directory.CreateDirectory(part.In("parts/bolt"));
        File.Copy(part.In("test/good/0.png"), part.In("parts/bolt/0.png"), overwrite: true);
        var answers = Tool.RunWith(System.Text.Encoding.UTF8.GetBytes($"{part.In("test/good/0.png")}\n{part.In("parts/bolt/0.png")}\n"),
            "score", part.In("two.zip"), "-", "--format", "Csv");
        answers.Code.Should().Be(3);
        answers.Output.Split('\n')[1].Should().Contain("--class");
        answers.Output.Split('\n')[2].Should().Contain(",bolt,no,");

        var shown = Tool.Run("threshold", part.In("two.zip"), "--show", "--class", "nut").Output;
        shown.Should().StartWith("nut: Threshold ").And.NotContain("bolt").And.NotContain("Written");
    }

    [Theory]
    [InlineData(2, "got 0", "MODEL")]
    [InlineData(2, "got 2", "MODEL", "--set", "0.5", "--show")]
    [InlineData(2, "--out is required", "MODEL", "--set", "0.5")]
    [InlineData(2, "leave out --out", "MODEL", "--show", "--out", "new.zip")]
    [InlineData(2, "--set: expected a number", "MODEL", "--set", "0,5", "--out", "new.zip")]
    [InlineData(3, "expected above 0, at most 0.5, got 0.9", "MODEL", "--false-rejects", "0.9", "--out", "new.zip")]
    [InlineData(3, "expected one of 'bolt'", "MODEL", "--set", "0.5", "--class", "nonsense", "--out", "new.zip")]
    [InlineData(3, "expected one of 'bolt'", "MODEL", "--show", "--class", "nonsense")]
    [InlineData(3, "no model zip", "DATA/train/good/0.png", "--show")]
    public void Threshold_WrongArguments_SaysSoAndWritesNothing(int code, string message, params string[] arguments)
    {
        var (actual, output, error) = Tool.Run(["threshold", .. arguments.Select(argument => argument == "MODEL" ? part.Model
            : argument == "new.zip" ? part.In(argument)
            : argument.StartsWith("DATA", StringComparison.Ordinal) ? part.In("." + argument[4..])
            : argument)]);
        (actual, output).Should().Be((code, ""), error);
        error.Should().Contain(message).And.NotContain("   at ");
        File.Exists(part.In("new.zip")).Should().BeFalse();
    }

    [Fact]
    public void Info_Model_TellsWhatItIs()
    {
        var (code, output, error) = Tool.Run("info", part.Model);
        code.Should().Be(0, error);
        output.Should().Contain("Classes: bolt").And.Contain("Backbone: resnet18, in the model").And.Contain("112 x 112 pixels")
            .And.Contain("Graph prompt: none").And.Contain("epochs 0")
            .And.MatchRegex(@"bolt: Threshold 0\.\d+: .*6 image\(s\) are in the memory bank.*holds \d+ patches")
            .And.MatchRegex(@"Model: .*model\.zip \(\d+\.\d MB\), format 3");
        using var json = JsonDocument.Parse(Tool.Run("info", part.Model, "--json").Output);
        var root = json.RootElement;
        root.GetProperty("kind").GetString().Should().Be("model");
        root.GetProperty("fileBytes").GetInt64().Should().Be(new FileInfo(part.Model).Length);
        root.GetProperty("options").GetProperty("images").GetProperty("size").GetInt32().Should().Be(112);
        var bolt = root.GetProperty("classes").EnumerateArray().Single();
        part.FitOutput.Should().Contain(bolt.GetProperty("explanation").GetString())
            .And.Contain(bolt.GetProperty("threshold").GetDouble().ToString("0.0000", CultureInfo.InvariantCulture));
        // Six images of 112 pixels in cells of 8, and of seven more views of each a seventh; of these the half.
        bolt.GetProperty("bankPatches").GetInt64().Should().BeInRange((long)(6 * 14 * 14 * 0.95), (long)(6 * 14 * 14 * 1.05));
        bolt.GetProperty("syntheticDefectsFound").GetDouble().Should().BeInRange(0, 1);
    }

    [Fact]
    public void Info_DamagedModel_IsNotCalledACheckpoint()
    {
        File.WriteAllBytes(part.In("cut.zip"), File.ReadAllBytes(part.Model)[..^4000]);
        var (code, _, error) = Tool.Run("info", part.In("cut.zip"));
        code.Should().Be(3);
        error.Should().Contain("no model zip, or is damaged").And.NotContain("PyTorch");
    }

    private static JsonElement Class(string model, string name = "bolt")
        => JsonDocument.Parse(Tool.Run("info", model, "--json").Output).RootElement.GetProperty("classes").EnumerateArray()
            .Single(each => each.GetProperty("name").GetString() == name);

    private static JsonElement Score(string model, string image)
        => JsonDocument.Parse(Tool.Run("score", model, image, "--format", "jsonl").Output).RootElement;
}
