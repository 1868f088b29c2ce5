using System.Text.Json;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>--roi, as a user types it. The bars of the defective parts lie at rows 11 to 21 of 80.</summary>
public sealed class RegionCommandsTests(ProductFolder products) : IClassFixture<ProductFolder>
{
    private const string Lower = """{"width":80,"height":80,"inspect":[[[0,30],[80,30],[80,80],[0,80]]]}""";

    [Fact]
    public void Fit_Roi_LeavesTheRestOutOfScoresMapsAndReport()
    {
        var picture = new PixelBuffer(80, 80, [.. Enumerable.Range(0, 80 * 80 * 3).Select(i => (byte)(i / 240 < 30 ? 0 : 255))]);
        TestImages.Write(picture, products.In("lower.png"));
        var zip = products.In("bolt.zip");
        var fit = Tool.Run("fit", products.In("bolt"), "--class", "bolt", "--epochs", "0", "--size", "112", "--roi",
            products.In("lower.png"), "--out", zip);
        fit.Code.Should().Be(0, fit.Error);
        var info = Tool.Run("info", zip);
        info.Output.Should().Contain("Inspected: 62.5 % of 80 x 80 pixels.");
        var region = JsonDocument.Parse(Tool.Run("info", zip, "--json").Output).RootElement.GetProperty("classes")[0].GetProperty("region");
        (region.GetProperty("width").GetInt32(), region.GetProperty("share").GetDouble()).Should().Be((80, 0.625));

        var (code, output, error) = Tool.Run("score", zip, products.In("bolt/test"), "--format", "Jsonl", "--maps", products.In("maps"));
        code.Should().Be(0, error);
        var rows = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        rows.Should().HaveCount(4);
        // Bad and good differ by the bar alone, which is not inspected.
        rows.GroupBy(row => Path.GetFileName(row.GetProperty("image").GetString()), row => row.GetProperty("score").GetDouble())
            .Should().OnlyContain(pair => Math.Abs(pair.First() - pair.Last()) < 1e-3);
        var npy = File.ReadAllBytes(Directory.GetFiles(products.In("maps"), "*.npy")[0]);
        var values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(npy.AsSpan(npy.Length - (4 * 80 * 80))).ToArray();
        Enumerable.Range(0, 6400).Where(p => float.IsNaN(values[p]) != (p / 80 < 30)).Should().BeEmpty();

        TestImages.Write(TestImages.Part(100, 80, 3), products.In("wide.png"));
        var wide = Tool.Run("score", zip, products.In("wide.png"));
        wide.Code.Should().Be(3);
        wide.Output.Should().Contain("100 x 80").And.Contain("same shape");
        var report = Tool.Run("report", zip, "--data", products.In("bolt"), "--html", products.In("report.html"));
        report.Code.Should().Be(0, report.Error);
        var export = Tool.Run("export", zip, "--out", products.In("bolt.onnx"));
        export.Code.Should().Be(0, $"the pictures it is tried on have the region's shape: {export.Error}");
    }

    [Fact]
    public void Roi_OfSeveralClasses_IsNamed()
    {
        File.WriteAllText(products.In("lower.json"), Lower);
        string[] fit = ["fit", products.Root, "--epochs", "0", "--size", "56", "--out", products.In("both.zip"), "--roi"];
        Tool.Run([.. fit, products.In("lower.json")]).Error
            .Should().Contain("--roi: expected CLASS=FILE, as there are several classes ('bolt', 'nut')");
        Tool.Run([.. fit, $"screw={products.In("lower.json")}"]).Error
            .Should().Contain("--roi: expected a class of the images ('bolt', 'nut') before the sign '='");
        Tool.Run([.. fit, $"nut={products.In("lower.json")}", "--roi", $"nut={products.In("lower.json")}"]).Error
            .Should().Contain("one file a class, got several for 'nut'");
        var (code, _, error) = Tool.Run([.. fit, $"nut={products.In("lower.json")}"]);
        code.Should().Be(0, error);
        Tool.Run("info", products.In("both.zip")).Output.Split('\n').Where(line => line.Contains("Inspected:", StringComparison.Ordinal))
            .Should().ContainSingle().Which.Should().StartWith("nut");
        var adapt = Tool.Run("adapt", products.In("both.zip"), products.In("bolt"), "--class", "bolt", "--roi", products.In("lower.json"),
            "--out", products.In("adapted.zip"));
        adapt.Code.Should().Be(0, adapt.Error);
        Tool.Run("info", products.In("adapted.zip")).Output.Split('\n')
            .Count(line => line.Contains("Inspected: 62.5 %", StringComparison.Ordinal)).Should().Be(2);
    }

    [Fact]
    public void Evaluate_Roi_LeavesDefectsOutsideOut()
    {
        File.WriteAllText(products.In("lower-too.json"), Lower);
        string[] evaluate = ["evaluate", "--data", products.Root, "--shots", "1", "--seeds", "1", "--epochs", "0", "--size", "56"];
        var (code, _, error) = Tool.Run([.. evaluate, "--roi", $"bolt={products.In("lower-too.json")}", "--json",
            products.In("figures.json")]);
        code.Should().Be(0, error);
        var text = File.ReadAllText(products.In("figures.json"));
        var cells = JsonDocument.Parse(text).RootElement.GetProperty("results")
            .EnumerateArray().ToDictionary(cell => cell.GetProperty("class").GetString()!);
        IsKnown(cells["nut"], "pixel_auroc").Should().BeTrue(text);
        IsKnown(cells["bolt"], "pixel_auroc").Should().BeFalse("no defective pixel is inspected");
    }

    private static bool IsKnown(JsonElement cell, string name) 
        => cell.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number;
}
