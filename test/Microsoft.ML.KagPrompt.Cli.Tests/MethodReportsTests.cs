using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>A report of every method's model, saved by ML.NET.</summary>
public sealed class MethodReportsTests(ProductFolder products) : IClassFixture<ProductFolder>
{
    private readonly MLContext ml = new(seed: 1);

    /// <summary>Every method there is.</summary>
    public static TheoryData<string> Methods => [.. InspectionMethods.Names];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Report_OfEveryMethod_HasFiguresAndPictures(string method)
    {
        var (zip, page) = (products.In($"{method}.zip"), products.In($"{method}.html"));
        Save(method, zip);
        var (code, output, error) = Tool.Run("report", zip, "--data", products.In("bolt"), "--html", page);
        code.Should().Be(0, error);
        output.Should().Contain("4 images, 4 with pictures");
        var written = File.ReadAllText(page);
        Regex.Matches(written, "<article").Should().HaveCount(4);
        written.Should().Contain("ROC curve, AUROC").And.Contain("pixel AUROC").And.Contain("<td>bar</td><td>2</td>").And.NotContain("NaN");
    }

    private void Save(string method, string zip)
    {
        var rows = ml.Data.LoadFromEnumerable(Directory.GetFiles(products.In("bolt/train/good")).Order()
            .Select(path => new Row { ImagePath = path }));
        var (chosen, backbone) = InspectionMethods.Default(method) switch
        {
            KagOptions => (null, "resnet18"),
            WinClipOptions words => (words, Clip()),
            PromptAdOptions prompts => (prompts with { Epochs = 1 }, Clip()),
            AprilGanOptions heads => (heads with { Training = new() { Epochs = 1 } }, "compact"),
            var other => ((MethodOptions?)other, "resnet18"),
        };
        var options = new KagPromptOptions { Method = chosen, Backbone = new() { Name = backbone }, Images = new() { Size = 56 },
            Columns = new() { ClassName = nameof(Row.Product) }, Device = "cpu" };
        using var model = ml.Transforms.LoadImages("Image", "", nameof(Row.ImagePath)).Append(ml.Transforms.DetectAnomaliesKag(options))
            .Fit(rows);
        ml.Model.Save(model, rows.Schema, zip);
    }

    /// <summary>A CLIP of random weights.</summary>
    private string Clip()
    {
        var path = products.In("clip.safetensors");
        if (!File.Exists(path))
        {
            using var scope = torch.NewDisposeScope();
            TinyBackbones.WriteSafetensors(path, TinyBackbones.Clip(1));
            TinyBackbones.WriteVocabulary(products.Root);
        }

        return path;
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string Product { get; set; } = "bolt";
    }
}
