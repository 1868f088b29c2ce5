using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

public sealed class EvaluateCommandTests : IDisposable
{
    private readonly ProductFolder products = new();
    private readonly string folder;

    public EvaluateCommandTests() => folder = products.Root;

    [Fact]
    public void Evaluate_TwoProducts_WritesTableJsonAndPage()
    {
        var (code, output, error) = Tool.Run("evaluate", "--epochs", "0", "--data", folder, "--shots", "1,3", "--seeds", "2", "--size", "112", "--json", In("out.json"), "--html", In("out.html"));
        code.Should().Be(0, error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Should().HaveCount(7, "a header, two products and their mean, each with two numbers of shots");
        lines[1].Should().MatchRegex(@"\tbolt\t1\t[\d.]+ ± [\d.]+\t");
        lines[6].Should().Contain("\tmean\t3\t");

        using var json = JsonDocument.Parse(File.ReadAllText(In("out.json")));
        var results = json.RootElement.GetProperty("results").EnumerateArray().ToArray();
        results.Should().HaveCount(8);
        foreach (var name in (string[])["image_auroc", "image_ap", "image_f1_max", "pixel_auroc", "pixel_ap", "aupro", "balanced_error_best", "seconds_fit", "seconds_per_image"])
        {
            var values = results.Select(result => result.GetProperty(name).GetDouble()).ToArray();
            values.Should().OnlyContain(value => value >= 0 && (value <= 1 || name.StartsWith("seconds", StringComparison.Ordinal)));
            json.RootElement.GetProperty("mean").GetProperty(name).GetDouble().Should().BeApproximately(values.Average(), 1e-9);
        }

        var page = File.ReadAllText(In("out.html"));
        page.Should().Contain("<td>nut</td>").And.NotContain("http://").And.NotContain("https://").And.NotContain("src=");
    }

    [Fact]
    public void Evaluate_NoMasks_SaysWhatCannotBeTold()
    {
        Directory.Delete(In("nut"), recursive: true);
        Directory.Delete(In("bolt/ground_truth"), recursive: true);
        var (code, output, error) = Tool.Run("evaluate", "--epochs", "0", "--data", folder, "--shots", "1", "--seeds", "1", "--size", "56");
        code.Should().Be(0, error);
        error.Should().Contain("bolt: 2 anomalous images have no mask and are left out of the pixel metrics.");
        output.Should().Contain("\t–");
    }

    [Fact]
    public void Evaluate_KilledAnywhere_GoesOnToTheSameTable()
    {
        string[] arguments = ["evaluate", "--epochs", "0", "--data", folder, "--shots", "1,2", "--seeds", "3", "--size", "112"];
        var whole = Tool.Run([.. arguments, "--cells", In("whole")]).Output;
        string[] resumed = [.. arguments, "--cells", In("killed")];
        using (var process = Tool.Start(resumed))
        {
            // After the third cell.
            for (var cells = 0; cells < 3 && process.StandardError.ReadLine() is { } line;)
            {
                cells += line.Contains("draw", StringComparison.Ordinal) ? 1 : 0;
            }

            process.Kill();
            process.WaitForExit();
        }

        var kept = Directory.GetFiles(In("killed"), "*.json").Length;
        kept.Should().BeInRange(3, 11);
        var (code, output, error) = Tool.Run(resumed);
        code.Should().Be(0);
        output.Should().Be(whole);
        error.Split('\n').Count(line => line.Contains("draw", StringComparison.Ordinal)).Should().Be(12 - kept);
        Directory.GetFiles(In("killed")).Should().OnlyContain(file => file.EndsWith(".json", StringComparison.Ordinal));
    }

    [Fact]
    public void Evaluate_OtherSettings_DoNotUseOldCells()
    {
        string[] arguments = ["evaluate", "--epochs", "0", "--data", folder, "--shots", "1", "--seeds", "1", "--cells", In("cells")];
        Tool.Run([.. arguments, "--size", "112"]).Error.Should().Contain("draw 0");
        Tool.Run([.. arguments, "--size", "112"]).Error.Should().BeEmpty();
        Tool.Run([.. arguments, "--size", "56"]).Error.Should().Contain("draw 0");
        foreach (var cell in Directory.GetFiles(In("cells")))
        {
            File.WriteAllText(cell, "{");
        }

        Tool.Run([.. arguments, "--size", "112"]).Error.Should().Contain("draw 0", "a damaged cell is computed anew");
    }

    [Fact]
    public void Evaluate_OtherWeightsUnderTheSameName_DoNotUseOldCells()
    {
        var model = In("part.zip");
        Tool.Run("fit", In("bolt"), "--out", model, "--epochs", "0", "--size", "112").Code.Should().Be(0);
        string[] arguments = ["evaluate", "--epochs", "0", "--data", In("bolt"), "--shots", "1", "--seeds", "1", "--size", "112", "--initial", model, "--cells", In("cells")];
        Tool.Run(arguments).Error.Should().Contain("draw 0");
        Tool.Run(arguments).Error.Should().BeEmpty();
        Tool.Run("fit", In("nut"), "--out", model, "--epochs", "0", "--size", "112").Code.Should().Be(0);
        Tool.Run(arguments).Error.Should().Contain("draw 0");
    }

    [Fact]
    public void Evaluate_OtherImages_UsesTheOldCellsOfOtherProductsOnly()
    {
        string[] arguments = ["evaluate", "--epochs", "0", "--data", folder, "--shots", "1", "--seeds", "1", "--size", "56", "--cells", In("cells")];
        Tool.Run(arguments).Error.Should().Contain("bolt, 1 shot(s)").And.Contain("nut, 1 shot(s)");
        Touch(In("nut/ground_truth/bar/1_mask.png"));
        Tool.Run(arguments).Error.Should().Contain("nut, 1 shot(s)").And.NotContain("bolt, 1 shot(s)");
        File.Delete(In("bolt/test/good/1.png"));
        Tool.Run(arguments).Error.Should().Contain("bolt, 1 shot(s)").And.NotContain("nut, 1 shot(s)");
    }

    [Fact]
    public void Evaluate_OtherImagesToTrainOn_DoNotUseOldCells()
    {
        string[] arguments = ["evaluate", "--data", In("bolt"), "--train-on", In("nut"), "--backbone", "compact", "--epochs", "1", "--shots", "1", "--seeds", "1", "--size", "56", "--cells", In("cells")];
        Tool.Run(arguments).Error.Should().Contain("training on 4 images");
        Tool.Run(arguments).Error.Should().BeEmpty();
        Touch(In("nut/train/good/0.png"));
        Tool.Run(arguments).Error.Should().Contain("training on 4 images");
    }

    [Fact]
    public void Evaluate_TwoDataSets_AddsTheirMean()
    {
        string[] arguments = ["evaluate", "--epochs", "0", "--data", In("bolt"), In("nut"), "--shots", "1", "--seeds", "2", "--size", "56", "--backbone", "compact", "--ablate", "modules"];
        var (code, output, error) = Tool.Run(arguments);
        code.Should().Be(0, error);
        var rows = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToArray();
        rows[3][..3].Should().Equal("all data sets", "mean", "1");
        Mean(rows[3][6]).Should().BeApproximately((Mean(rows[1][6]) + Mean(rows[2][6])) / 2, 0.011);
        var both = rows.Where(row => row is ["modules", "memory bank + prompt", ..]).ToArray();
        both.Select(row => row[2]).Should().Equal("bolt", "nut", "all data sets");
        both[2][4..].Should().Equal(rows[3][3..9], "the run's own configuration has both branches");

        static double Mean(string cell) => double.Parse(cell.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Evaluate_TrainedElsewhere_AdaptsToEachProduct()
    {
        Directory.CreateDirectory(In("elsewhere/other/train"));
        Directory.Move(In("nut/train/good"), In("elsewhere/other/train/good"));
        Directory.Delete(In("nut"), recursive: true);
        var (code, output, error) = Tool.Run("evaluate", "--data", folder, "--train-on", In("elsewhere/other"), "--backbone", "compact", "--epochs", "1", "--shots", "1", "--seeds", "2", "--size", "112", "--layout", "MvTec");
        code.Should().Be(0, error);
        error.Split('\n').Count(line => line.StartsWith("training on 4 images", StringComparison.Ordinal)).Should().Be(1, "one prompt serves all cells");
        output.Should().Contain("\tbolt\t1\t");
    }

    [Theory]
    [InlineData(2, "--shots", "--data", "DATA", "--shots", "1,x")]
    [InlineData(2, "--seeds", "--data", "DATA", "--seeds", "0")]
    [InlineData(2, "--seeds does not go with --draws paper", "--data", "DATA", "--draws", "paper", "--seeds", "2")]
    [InlineData(3, "Shots: expected at most 4 with SupportDraw.Paper", "--data", "DATA", "--draws", "paper", "--shots", "5")]
    [InlineData(2, "--train-on needs --epochs", "--data", "DATA", "--train-on", "DATA", "--epochs", "0")]
    [InlineData(2, "--shots", "--data", "DATA", "--shots", "1,000")]
    [InlineData(2, "--shots", "--data", "DATA", "--shots", "1.5")]
    [InlineData(2, "--seeds: expected a whole number of 1 or more, digits alone, got '1,0'", "--data", "DATA", "--seeds", "1,0")]
    [InlineData(2, "--size: expected a whole number", "--data", "DATA", "--size", "1 12")]
    [InlineData(3, "is a folder", "--data", "DATA", "--json", "DATA")]
    [InlineData(3, "is a folder", "--data", "DATA", "--html", "DATA")]
    [InlineData(2, "--data", "--shots", "1")]
    [InlineData(3, "There is no folder", "--data", "absent")]
    [InlineData(3, "at least 9 normal images", "--data", "DATA", "--shots", "9")]
    [InlineData(3, "multiple of the patch size", "--data", "DATA", "--size", "100")]
    [InlineData(3, "'train/ok'", "--data", "DATA", "--layout", "Btad")]
    public void Evaluate_WrongArguments_SaysSo(int code, string message, params string[] arguments)
    {
        var (actual, output, error) = Tool.Run(["evaluate", .. arguments.Select(argument => argument == "DATA" ? folder : argument)]);
        actual.Should().Be(code);
        error.Should().Contain(message).And.NotContain("   at ");
        if (code == 3)
        {
            output.Should().BeEmpty();
        }
    }

    public void Dispose() => products.Dispose();

    private string In(string name) => products.In(name);

    private static void Touch(string path) => File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddSeconds(1));
}
