using System.IO.Compression;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>--epochs, --heads, --decoder and --zero-shot reach the methods that have them, and no others.</summary>
public sealed class MethodWordsTests : IClassFixture<ProductFolder>, IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly ProductFolder products;
    private readonly Dictionary<string, torch.Tensor> heads = [];

    public MethodWordsTests(ProductFolder products)
    {
        this.products = products;
        using var random = new torch.Generator(1);
        for (var layer = 0; layer < 4; layer++)
        {
            heads.Add($"fc.{layer}.weight", torch.randn([TinyBackbones.Joint, TinyBackbones.Width], generator: random));
            heads.Add($"fc.{layer}.bias", torch.randn([TinyBackbones.Joint], generator: random));
        }

        TinyBackbones.WritePyTorch(HeadsFile, heads, under: "trainable_linearlayer");
        if (!File.Exists(Backbone))
        {
            TinyBackbones.WriteSafetensors(Backbone, TinyBackbones.Clip(1));
            TinyBackbones.WriteVocabulary(products.Root);
        }
    }

    private string Backbone => products.In("clip.safetensors");

    private string HeadsFile => products.In("heads.pth");

    [Fact]
    public void Fit_PublishedHeads_ScoreAsTheyAreOrAreTrainedOnWithEpochs()
    {
        var (published, fixedHeads) = Fitted("--heads", HeadsFile, "--zero-shot");
        published.Should().Match<AprilGanOptions>(method => method.ZeroShot && method.Training.Epochs == null);
        foreach (var (name, value) in heads)
        {
            fixedHeads[name].equal(value).all().item<bool>().Should().BeTrue(name);
        }

        var (further, trained) = Fitted("--heads", HeadsFile, "--epochs", "1");
        further.Should().Match<AprilGanOptions>(method => !method.ZeroShot && method.Training.Epochs == 1);
        trained["fc.0.weight"].equal(heads["fc.0.weight"]).all().item<bool>().Should().BeFalse();
    }

    [Fact]
    public void Evaluate_SeveralMethods_EachTakesWhatItHasAndCellsOfOtherChoicesAreNotUsed()
    {
        const string Names = "patchcore,winclip,aprilgan,promptad";
        Evaluated(Names, "--epochs", "1", "--zero-shot").Should().Equal("patchcore", "winclip", "aprilgan", "promptad");
        Chosen("winclip").GetProperty("ZeroShot").GetBoolean().Should().BeTrue();
        Chosen("aprilgan").GetProperty("ZeroShot").GetBoolean().Should().BeTrue();
        Chosen("aprilgan").GetProperty("Training").GetProperty("Epochs").GetInt32().Should().Be(1);
        Chosen("promptad").GetProperty("Epochs").GetInt32().Should().Be(1);
        CellSettings("aprilgan").GetProperty("Checkpoint").ValueKind.Should().Be(JsonValueKind.Null);

        Evaluated(Names, "--epochs", "2", "--heads", HeadsFile, "--html", products.In("page.html"))
            .Should().Equal("winclip", "aprilgan", "promptad");
        File.ReadAllText(products.In("page.html")).Should().Contain("<dt>Epochs</dt><dd>2</dd><dt>Heads</dt>").And.NotContain("Zero-shot");
        CellSettings("aprilgan").GetProperty("Checkpoint").GetString().Should().NotBeEmpty("cells of other heads are not used, either");

        JsonElement Chosen(string method) => CellSettings(method).GetProperty("Options").GetProperty("Method");
    }

    [Fact]
    public void Fit_DecoderOfAnomalyGpt_WordsAloneScoreByIt()
    {
        var decoder = products.In("decoder.pth");
        TinyBackbones.WritePyTorch(decoder, heads.ToDictionary(head => "image_decoder." + head.Key, head => head.Value));
        var zip = products.In("anomalygpt.zip");
        Tool.Run(["fit", products.In("bolt"), "--method", "anomalygpt", "--backbone", Backbone, "--decoder", decoder, "--out", zip])
            .Code.Should().Be(0);
        Tool.Run(["fit", products.In("bolt"), "--method", "anomalygpt", "--backbone", Backbone, "--initial", zip, "--zero-shot",
            "--out", products.In("again.zip")]).Code.Should().Be(0);
        foreach (var path in new[] { zip, products.In("again.zip") })
        {
            Opened(path, (options, weights) =>
            {
                options.Method.Should().Match<AnomalyGptOptions>(method => method.Branch == AnomalyGptBranch.ZeroShot);
                foreach (var (name, value) in heads)
                {
                    weights.Read("prompt." + name).equal(value).all().item<bool>().Should().BeTrue(name);
                }

                return 0;
            });
        }
    }

    [Theory]
    [InlineData(2, "--heads is for --method aprilgan alone, and not for kag. Leave it out.", "fit", "--heads", "heads.pth")]
    [InlineData(2, "--zero-shot is for --method winclip, aprilgan or anomalygpt, and not for promptad. Leave it out.",
        "fit", "--method", "promptad", "--zero-shot")]
    [InlineData(2, "--epochs is for --method kag, aprilgan or promptad, and not for winclip, spade. Leave it out.",
        "evaluate", "--method", "winclip,spade", "--epochs", "1")]
    [InlineData(2, "--zero-shot does not go with --table1. Leave it out.", "evaluate", "--table1", "--zero-shot")]
    [InlineData(2, "--decoder is for --method anomalygpt alone, and not for winclip. Leave it out.",
        "fit", "--method", "winclip", "--decoder", "decoder.pth")]
    [InlineData(2, "--zero-shot of anomalygpt needs --decoder, the file with its trained image decoder.",
        "evaluate", "--method", "winclip,anomalygpt", "--zero-shot")]
    [InlineData(3, "Epochs: expected 1 to 10000, got 0", "evaluate", "--method", "patchcore,promptad", "--epochs", "0")]
    [InlineData(2, "--epochs: expected a whole number of 0 or more, digits alone, got 'x'", "evaluate", "--epochs", "x")]
    public void Run_WhatNoChosenMethodTakes_IsRefusedBeforeAnything(int code, string expected, string verb, params string[] arguments)
    {
        string[] place = verb == "fit" ? [products.In("bolt"), "--out", products.In("none.zip")] : ["--data", products.In("bolt")];
        var (actual, output, error) = Tool.Run([verb, .. place, .. arguments]);
        (actual, output).Should().Be((code, ""));
        error.Split("Leave it out").Length.Should().BeLessThanOrEqualTo(2, "one reason is enough");
        error.Should().Contain(expected).And.NotContain("   at ").And.NotContain("draw 0");
    }

    public void Dispose() => scope.Dispose();

    /// <summary>Fits APRIL-GAN by the tool, and reads what the zip holds: the method's options and its heads.</summary>
    private (MethodOptions Method, Dictionary<string, torch.Tensor> Heads) Fitted(params string[] arguments)
    {
        var zip = products.In("model.zip");
        var (code, _, error) = Tool.Run(
            ["fit", products.In("bolt"), "--method", "aprilgan", "--backbone", Backbone, "--out", zip, .. arguments]);
        code.Should().Be(0, error);
        return Opened(zip, (options, weights)
            => (options.Method, heads.Keys.ToDictionary(name => name, name => weights.Read("prompt." + name))));
    }

    private static T Opened<T>(string zip, Func<InspectionOptions, SafetensorsFile, T> read)
    {
        using var archive = ZipFile.OpenRead(zip);
        var model = archive.Entries.MaxBy(entry => entry.Length)!;
        using var described = model.Open();
        using var stream = model.Open();
        using var file = SafetensorsFile.Read(stream, zip);
        return read(ModelDescription.Read(described).Options, file);
    }

    /// <summary>Evaluates into the same folder of cells; which methods were computed, not found there.</summary>
    private IEnumerable<string> Evaluated(string methods, params string[] arguments)
    {
        var (code, _, error) = Tool.Run(["evaluate", "--data", products.In("bolt"), "--method", methods, "--backbone", Backbone,
            "--shots", "1", "--seeds", "1", "--cells", products.In("cells"), .. arguments]);
        code.Should().Be(0, error);
        return error.Split('\n').Where(line => line.Contains("image AUROC", StringComparison.Ordinal)).Select(line => line.Split(',')[0]);
    }

    /// <summary>What decides whether the method's cell is used again.</summary>
    private JsonElement CellSettings(string method)
    {
        using var cell = JsonDocument.Parse(File.ReadAllText(products.In($"cells/bolt~bolt~1~0~{method}.json")));
        var settings = cell.RootElement.GetProperty("settings").GetString()!;
        using var common = JsonDocument.Parse(settings[settings.IndexOf('{', StringComparison.Ordinal)..]);
        return common.RootElement.Clone();
    }
}
