using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>--method, as a user types it.</summary>
public sealed class MethodCommandsTests(ProductFolder products) : IClassFixture<ProductFolder>
{
    [Theory]
    [InlineData("patchcore")]
    [InlineData("spade")]
    [InlineData("anomalygpt")]
    [InlineData("anomalydino")]
    [InlineData("rad")]
    public void Fit_OtherMethod_ScoresAndSaysWhichItIs(string method)
    {
        var zip = products.In($"{method}.zip");
        var fit = Tool.Run("fit", products.In("bolt"), "--method", method, "--size", "112", "--out", zip);
        fit.Code.Should().Be(0, fit.Error);
        Tool.Run("info", zip).Output.Should().Contain(method).And.NotContain("Graph prompt");
        using var info = JsonDocument.Parse(Tool.Run("info", zip, "--json").Output);
        info.RootElement.GetProperty("method").GetString().Should().Be(method);
        info.RootElement.GetProperty("classes")[0].GetProperty("bankPatches").GetInt64().Should().BePositive();
        var (code, output, error) = Tool.Run("score", zip, products.In("bolt/test"), "--format", "Jsonl");
        code.Should().Be(0, error);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(4);
    }

    [Fact]
    public void Evaluate_SeveralMethods_TellsEachApart()
    {
        var (code, output, error) = Tool
            .Run("evaluate", "--method", "kag,patchcore", "--epochs", "0", "--data", products.In("bolt"), "--shots", "1", "--seeds", "2",
            "--size", "56",
            "--json", products.In("out.json"), "--html", products.In("out.html"));
        code.Should().Be(0, error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Select(line => line.Split('\t')[0]).Should().Equal("method", "kag", "patchcore");
        using var json = JsonDocument.Parse(File.ReadAllText(products.In("out.json")));
        json.RootElement.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("method").GetString()).Should()
            .Equal("kag", "kag", "patchcore", "patchcore");
        json.RootElement.GetProperty("means").GetProperty("patchcore").GetProperty("image_auroc").GetDouble().Should().BeInRange(0, 1);
        json.RootElement.TryGetProperty("mean", out _).Should().BeFalse("it would be the mean of no method");
        File.ReadAllText(products.In("out.html")).Should().Contain("<h3>patchcore</h3>");
        Directory.GetFiles(products.In("out.json.cells")).Should().HaveCount(4, "each method's cells are its own files");
    }

    [Theory]
    [InlineData("--method: expected one of kag, ", "--method", "nonsense")]
    [InlineData("--epochs is for --method kag, aprilgan or promptad, and not for patchcore. Leave it out.", "--method", "patchcore", "--epochs", "1")]
    [InlineData("--variant is for --method kag alone", "--method", "spade", "--variant", "Paper")]
    public void Fit_WhatDoesNotGoTogether_IsRefusedBeforeAnything(string expected, params string[] arguments)
    {
        var (code, _, error) = Tool.Run(["fit", products.In("bolt"), "--out", products.In("none.zip"), .. arguments]);
        code.Should().Be(2);
        error.Should().Contain(expected);
    }

    [Theory]
    [InlineData("winclip", "CLIP or OpenCLIP checkpoint")]
    [InlineData("aprilgan", "'compact'")]
    [InlineData("promptad", "CLIP, OpenCLIP or ImageBind checkpoint")]
    public void Fit_BackboneThatCannotServeTheMethod_NamesOnesThatCanInOneSentence(string method, string expected)
    {
        var (code, _, error) = Tool.Run("fit", products.In("bolt"), "--method", method, "--backbone", "resnet18",
            "--out", products.In("none.zip"));
        code.Should().Be(3);
        error.Should().Contain($"'{method}'").And.Contain("'resnet18'").And.Contain(expected)
            .And.Contain("Backbone.Name (--backbone)", "the library's word stands beside the tool's");
        error.Trim().Should().EndWith(".").And.NotContain(". ").And.NotContain("\n");
    }

    [Fact]
    public void Evaluate_LastMethodCannotBegin_IsSaidBeforeTheFirstIsComputed()
    {
        var (code, _, error) = Tool
            .Run("evaluate", "--method", "patchcore,kag", "--epochs", "1", "--data", products.In("bolt"), "--shots", "1", "--seeds", "1",
            "--size", "56");
        code.Should().Be(3);
        error.Should().Contain("'compact'").And.NotContain("draw 0");
    }

    [Fact]
    public void Evaluate_InitialModelOfTheFirstMethod_IsRefusedForTheSecondBeforeTheFirstIsComputed()
    {
        var zip = products.In("initial.zip");
        Tool.Run("fit", products.In("bolt"), "--method", "patchcore", "--size", "56", "--out", zip).Code.Should().Be(0);
        var (code, _, error) = Tool.Run("evaluate", "--method", "patchcore,spade", "--initial", zip, "--data", products.In("bolt"),
            "--shots", "1", "--seeds", "1", "--size", "56");
        code.Should().Be(3);
        error.Should().Contain("'patchcore'").And.Contain("spade").And.NotContain("draw 0");
    }

    [Fact]
    public void Evaluate_AblationsWithoutKag_AreRefused()
    {
        var (code, _, error) = Tool.Run("evaluate", "--method", "patchcore", "--data", products.In("bolt"), "--ablate", "k=1,2");
        code.Should().Be(2);
        error.Should().Contain("--ablate is for --method kag alone");
    }
}
