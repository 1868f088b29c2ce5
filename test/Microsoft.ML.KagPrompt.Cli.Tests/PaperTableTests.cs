using System.Text.Json;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>evaluate --table1, as a user types it.</summary>
public sealed class PaperTableTests(ProductFolder products) : IClassFixture<ProductFolder>
{
    private static readonly string[] Systems = ["spade", "patchcore", "winclip", "aprilgan", "anomalygpt", "promptad", "kag"];

    [Fact]
    public void Table1_PublicAndOwnDataSet_HasTheSevenSystemsAndGoesOn()
    {
        CopyProduct("bolt", "MVTec-AD/bolt");
        CopyProduct("nut", "parts/nut");
        WriteClip();
        string[] arguments =
        [
            "evaluate", "--table1", "--data", products.In("MVTec-AD"), products.In("parts"), "--shots", "1", "--seeds", "2", "--size", "56",
            "--epochs", "0", "--native", $"winclip={products.In("clip.pt")}", "--out", products.In("table"),
        ];
        var (code, output, error) = Tool.Run(arguments);
        code.Should().Be(0, error);
        var rows = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToArray();
        rows[0].Should().Equal("data set", "shots", "system", "published image", "published pixel", "shared image", "shared pixel",
            "own image", "own pixel");
        rows[1..8].Select(row => row[2]).Should().Equal(Systems);
        rows[1][..5].Should().Equal("MVTec-AD", "1", "spade", "81.0", "91.2");
        rows[1][5..7].Should().OnlyContain(cell => cell.Contains(" ± "));
        rows[1][7..].Should().Equal("–", "–");
        rows[3][3..7].Should().Equal("93.1", "95.2", "–", "–");
        rows[3][7..].Should().OnlyContain(cell => cell.Contains(" ± "), "the CLIP is its own backbone");
        rows[7][..5].Should().Equal("MVTec-AD", "1", "kag", "95.8", "96.2");
        rows[8..15].Should().OnlyContain(row => row[0] == "parts" && row[3] == "–" && row[4] == "–");
        rows[15..].Select(row => row[0][..25]).Should().OnlyContain(line => line.StartsWith("not computed: ")).And.HaveCount(3);
        error.Should().Contain("MVTec-AD: 1 product(s); the published figures are means over the 15")
            .And.Contain("parts: it is named neither");

        using var json = JsonDocument.Parse(File.ReadAllText(products.In("table/table1.json")));
        var first = json.RootElement.GetProperty("rows")[0];
        first.GetProperty("published").GetProperty("image_auroc").GetDouble().Should().BeApproximately(0.81, 1e-9);
        first.GetProperty("shared").GetProperty("pixel_auroc").GetProperty("mean").GetDouble().Should().BeInRange(0.5, 1);
        first.GetProperty("native").ValueKind.Should().Be(JsonValueKind.Null);
        json.RootElement.GetProperty("refused").EnumerateArray().Select(refused => refused.GetProperty("reason").GetString()).Should()
            .OnlyContain(reason => reason!.Contains("'resnet18'"), "epochs are KAG-prompt's alone: promptad is refused for its backbone");
        var page = File.ReadAllText(products.In("table/table1.html"));
        page.Should().Contain("(transductive)").And.Contain("KAG-prompt<sup>4</sup>").And.Contain("<td>81.0</td>")
            .And.NotContain("https://").And.NotContain("<script");
        page.Should().Contain("the row is the memory bank alone under the library&#39;s defaults", "no epochs, no prompt")
            .And.Contain("(NearWeight 0.5; the paper 0)").And.Contain("(TopK 502; the paper 30)").And.Contain("(LocalContrast 0.4; the paper 0)").And.Contain("TurnedAndMirrored")
            .And.Contain("also on backbones of their own").And.Contain("518 pixels").And.Contain("Lanczos").And.Contain("10 % or 1 %");
        json.RootElement.GetProperty("setups").EnumerateArray().Select(setup => setup.GetProperty("method").GetString()).Should()
            .Equal(Systems);

        var again = Tool.Run(arguments);
        again.Output.Should().Be(output);
        again.Error.Should().NotContain("draw 0", "every cell is kept");
    }

    [Theory]
    [InlineData(2, "--table1 needs --out", "--table1")]
    [InlineData(2, "--native is for --table1 alone", "--native", "spade=x")]
    [InlineData(2, "--method does not go with --table1", "--table1", "--out", "x", "--method", "kag")]
    [InlineData(2, "--native: expected METHOD=FILE with a method of spade", "--table1", "--out", "x", "--native", "rad=x")]
    [InlineData(3, "There is no file or directory 'absent', which --native names for spade",
        "--table1", "--out", "x", "--native", "spade=absent")]
    public void Table1_WrongArguments_SaysSo(int expected, string message, params string[] arguments)
    {
        var (code, output, error) = Tool.Run(["evaluate", "--data", products.In("bolt"), .. arguments]);
        code.Should().Be(expected);
        error.Should().Contain(message).And.NotContain("   at ");
        output.Should().BeEmpty();
    }

    private void CopyProduct(string from, string to)
    {
        foreach (var file in Directory.GetFiles(products.In(from), "*.png", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(products.In(to), Path.GetRelativePath(products.In(from), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private void WriteClip()
    {
        using var scope = torch.NewDisposeScope();
        TinyBackbones.WritePyTorch(products.In("clip.pt"), TinyBackbones.Clip(1));
        TinyBackbones.WriteVocabulary(products.Root);
    }
}
