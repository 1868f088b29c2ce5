using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>kagprompt compare, as a user types it.</summary>
public sealed class CompareCommandTests(ProductFolder products) : IClassFixture<ProductFolder>
{
    [Fact]
    public void Compare_DataSetWithDefects_RanksWhatTheBackboneAllowsAndShowsImages()
    {
        var (code, output, error) = Tool.Run(
            "compare", products.In("bolt"), "--methods", "patchcore,winclip,spade", "--size", "56", "--out", products.In("compared"));
        code.Should().Be(0, error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines[0].Should().StartWith("rank\tmethod\timage AUROC %\tbalanced error %\tpixel AUROC %\tseconds to fit");
        lines[1..3].Select(line => line.Split('\t')[1]).Should().BeEquivalentTo("patchcore", "spade");
        lines[3].Should().StartWith("not compared: winclip. Method 'winclip' needs ").And.Contain("'resnet18'");
        var page = File.ReadAllText(products.In("compared/comparison.html"));
        page.Should().Contain("default-src 'none'").And.NotContain("http://").And.NotContain("https://").And.NotContain("<script");
        page.Split("data:image/png;base64,").Should().HaveCount(1 + (2 * 3), "two methods' maps of two defects and a good part");
        page.Split("data:image/jpeg;base64,").Should().HaveCount(1 + 3, "each picture once");
        page.Should().Contain("test/bar/0.png: bolt, bar").And.Contain("<dt>winclip</dt>");
    }

    [Fact]
    public void Compare_PhotographsOfGoodParts_WritesJsonAlone()
    {
        var (code, output, error) = Tool.Run(
            "compare", products.In("nut/train/good"), "--methods", "spade,patchcore", "--shots", "3", "--seed", "2", "--size", "56",
            "--json");
        code.Should().Be(0, error);
        error.Should().Contain("spade: fitting (0 of 2)").And.Contain("Real defects may rank the methods otherwise.");
        using var json = JsonDocument.Parse(output);
        json.RootElement.GetProperty("ranked_by").GetString().Should().Be("left_out");
        var methods = json.RootElement.GetProperty("methods").EnumerateArray().ToArray();
        methods.Select(method => method.GetProperty("rank").GetInt32()).Should().Equal(1, 2);
        methods.Should().OnlyContain(method => method.GetProperty("image_auroc").ValueKind == JsonValueKind.Null
            && method.GetProperty("separation").GetDouble() <= 1 && method.GetProperty("megabytes").GetDouble() > 0
            && method.GetProperty("support_images").EnumerateObject().Single().Value.GetInt32() == 3);
    }

    [Theory]
    [InlineData(2, "--methods: expected names between commas of kag", "--methods", "nonsense")]
    [InlineData(2, "--shots: expected a whole number", "--shots", "0")]
    [InlineData(3, "at least 9 normal images, got 4", "--shots", "9")]
    [InlineData(3, "Method 'winclip' needs", "--methods", "winclip")]
    public void Compare_WrongArguments_SaysSo(int expected, string message, params string[] arguments)
    {
        var (code, output, error) = Tool.Run(["compare", products.In("bolt"), .. arguments]);
        code.Should().Be(expected);
        error.Should().Contain(message).And.NotContain("   at ");
        output.Should().BeEmpty();
    }
}
