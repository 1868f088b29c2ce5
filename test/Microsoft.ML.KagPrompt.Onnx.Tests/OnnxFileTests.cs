using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Onnx.Schema;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>What an exported file holds and says of itself, and how it is written.</summary>
public sealed class OnnxFileTests : IDisposable
{
    private const int Side = 64;

    private static readonly Lazy<KagPromptModel> Fitted = new(() => KagPromptTrainer.Fit(
        Enumerable.Range(0, 3).Select(seed => new TrainingImage { Image = TestImages.Part(90, 60, seed), ClassName = "a" }),
        new()
        {
            Method = new KagOptions { Prompt = new() { FromScratch = true }, Training = new() { Epochs = 0 } },
            Backbone = new() { Name = "resnet18" },
            Images = new() { Size = Side },
            Regions = new Dictionary<string, InspectionRegion> { ["a"] = InspectionRegion.FromPolygons(90, 60, [[(5, 5), (80, 5), (80, 55), (5, 55)]], []) },
            Device = "cpu",
            Seed = 1,
        }));

    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-onnx-").FullName;

    private static KagPromptModel Fit => Fitted.Value;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Export_IsOfOneOperatorSet_WithEveryConstantOnceAndNothingForNothing()
    {
        using var run = new OnnxRun(Fit);
        var model = ModelProto.Parser.ParseFrom(run.Bytes);
        model.OpsetImport.Should().ContainSingle().Which.Should().Match<OperatorSetIdProto>(set => set.Domain == "" && set.Version == 18);
        model.IrVersion.Should().Be(8);
        model.ProducerName.Should().Be("Microsoft.ML.KagPrompt");
        model.Graph.Initializer.Select(constant => (constant.DataType, string.Join(',', constant.Dims), constant.RawData.ToBase64())).Should().OnlyHaveUniqueItems();
        var used = model.Graph.Node.SelectMany(node => node.Input).ToHashSet();
        model.Graph.Initializer.Should().OnlyContain(constant => used.Contains(constant.Name));
        model.Graph.Node.Where(node => !node.Output.Any(used.Contains)).SelectMany(node => node.Output).Should().BeEquivalentTo(model.Graph.Output.Select(output => output.Name));
    }

    [Fact]
    public void Export_DeclaresInputAndOutputs()
    {
        using var run = new OnnxRun(Fit);
        var input = run.Session.InputMetadata["image"];
        input.ElementType.Should().Be<byte>();
        input.Dimensions.Should().Equal(-1, -1, -1, 3);
        run.Session.OutputMetadata.ToDictionary(output => output.Key, output => (output.Value.ElementType, string.Join(',', output.Value.Dimensions))).Should().BeEquivalentTo(new Dictionary<string, (Type, string)>
        {
            ["score"] = (typeof(float), "-1"),
            ["anomaly_map"] = (typeof(float), $"-1,{Side},{Side}"),
            ["probability"] = (typeof(float), "-1"),
            ["is_anomalous"] = (typeof(bool), "-1"),
            ["unlikeness"] = (typeof(float), "-1"),
            ["is_foreign"] = (typeof(bool), "-1"),
        });
        using var square = new OnnxRun(Fit, new() { FixedSize = true });
        square.Session.InputMetadata["image"].ElementType.Should().Be<float>();
        square.Session.InputMetadata["image"].Dimensions.Should().Equal(-1, 3, Side, Side);
    }

    [Fact]
    public void Export_SaysWhatItIs()
    {
        using var run = new OnnxRun(Fit);
        var (told, calibration) = (run.Metadata, Fit.CalibrationOf("a"));
        Number("threshold").Should().Be(calibration.Threshold);
        Number("map_threshold").Should().Be(calibration.MapThreshold);
        Number("unlikeness_limit").Should().Be(calibration.UnlikenessLimit);
        JsonDocument.Parse(told["kagprompt.calibration"]).RootElement.GetProperty("threshold").GetSingle().Should().Be(calibration.Threshold);
        using var archive = new MemoryStream();
        Fit.Save(archive);
        told["kagprompt.model_sha256"].Should().Be(Convert.ToHexStringLower(SHA256.HashData(archive.ToArray())));
        told["kagprompt.region"].Should().Be("""{"width":90,"height":60}""");
        string[] rest = [.. new[] { "format", "method", "class", "image_size", "resize_mode", "input", "orientation", "precision", "quantize" }.Select(name => told[$"kagprompt.{name}"])];
        rest.Should().Equal("1", "kag", "a", "64", "Stretch", "pixels", "Exif", "Float32", "None");
        told["kagprompt.version"].Should().NotBeEmpty();

        float Number(string name) => float.Parse(told[$"kagprompt.{name}"], CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Export_ToAFile_ReplacesWhatWasThere_AndLeavesNothingBeside()
    {
        var path = Path.Combine(folder, "new", "part.onnx");
        Fit.ExportOnnx(path);
        var first = File.ReadAllBytes(path);
        File.WriteAllText(path, "old");
        Fit.ExportOnnx(path);
        File.ReadAllBytes(path).Should().Equal(first, "the same model is the same file");
        Directory.GetFiles(Path.GetDirectoryName(path)!).Should().ContainSingle();
        using var run = new OnnxRun(path);
        SameVerdicts.Check(Fit, run, null, [TestImages.Part(90, 60, 5), TestImages.Part(180, 120, 6, defective: true)]);
    }

    [Fact]
    public void Write_OfTooManyWeights_PutsThemBesideTheFile()
    {
        const long Most = 1 << 16;
        var (graph, metadata) = OnnxExport.Build(Fit, "a", new());
        using (graph)
        {
            var path = Path.Combine(folder, "part.onnx");
            OnnxFile.Write(path, graph, metadata, Most);
            new FileInfo(path).Length.Should().BeLessThan(1 << 20);
            new FileInfo(path + ".data").Length.Should().BeGreaterThan(Most);
            using var run = new OnnxRun(path);
            SameVerdicts.Check(Fit, run, null, [TestImages.Part(90, 60, 5)]);
            FluentActions.Invoking(() => OnnxFile.Write(Stream.Null, graph, metadata, Most)).Should().Throw<NotSupportedException>().WithMessage("*expected at most 65536*Export to a file*");
        }
    }

    [Fact]
    public void Export_OfADisposedModel_IsRefused()
    {
        using var other = Fit.WithThreshold(0.5f);
        other.Dispose();
        FluentActions.Invoking(() => other.ExportOnnx(Stream.Null)).Should().Throw<ObjectDisposedException>();
    }
}
