using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Published backbones and checkpoints through ML.NET's pipeline and zip.</summary>
public sealed class BackboneTests : IClassFixture<PartFolder>, IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-zip-").FullName;
    private readonly PartFolder parts;

    public BackboneTests(PartFolder parts)
    {
        this.parts = parts;
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), TinyBackbones.Clip(1));
        TinyBackbones.WriteVocabulary(folder);
    }

    [Fact]
    public void Load_BackboneBesideTheZip_IsFound()
    {
        BackboneConverter.Convert(In("clip.safetensors"), In("made"));
        using var model = Pipeline(new KagPromptOptions { Backbone = new() { Name = In("made"), Storage = BackboneStorage.Refer }, Training = new() { Epochs = 1, BatchSize = 4 } }).Fit(Rows(parts.Normal));
        var expected = Scores(model);
        var service = Directory.CreateDirectory(In("service")).FullName;
        var zip = Path.Combine(service, "part.zip");
        ml.Model.Save(model, Rows(parts.Normal).Schema, zip);
        new FileInfo(zip).Length.Should().BeLessThan(new FileInfo(In("made/vision.safetensors")).Length + 1_000_000);
        Directory.Move(In("made"), Path.Combine(service, "clip"));
        ShouldScore(zip, expected);

        Directory.Delete(Path.Combine(service, "clip"), recursive: true);
        FluentActions.Invoking(() => ml.Model.Load(zip, out _)).Should().Throw<Exception>().Where(fault => fault.GetBaseException() is ModelFormatException)
            .Which.GetBaseException().Message.Should().Contain($"Looked in '{service}'").And.Contain("vision.safetensors");
    }

    [SkippableTheory]
    [Trait("Category", "Golden")]
    [InlineData(0)]
    [InlineData(1)]
    public void Fit_AuthorsCheckpoints_ScoresAndSurvivesSaveAndLoad(int epochs)
    {
        var (backbone, prompt) = (SharedFiles.Golden("imagebind_tiny.pth"), SharedFiles.Golden("kag_released_tiny.pth"));
        using (var inputs = SafetensorsFile.Open(SharedFiles.Golden("imagebind_tiny_io.safetensors")))
        {
            File.WriteAllText(In("config.json"), $$$"""{"vision_config":{"num_attention_heads":{{{inputs.Metadata["vision_heads"]}}}},"text_config":{"num_attention_heads":{{{inputs.Metadata["text_heads"]}}}}}""");
        }

        File.Copy(backbone, In("imagebind_tiny.pth"));
        File.Copy(SharedFiles.Weights("bpe_simple_vocab_16e6.txt.gz"), In("bpe_simple_vocab_16e6.txt.gz"));
        var options = new KagPromptOptions { Backbone = new() { Name = In("imagebind_tiny.pth") }, Prompt = new() { Variant = GraphVariant.Released, CheckpointPath = prompt }, Training = new() { Epochs = epochs, BatchSize = 4 }, Images = new() { Size = 112 } };
        using var model = Pipeline(options).Fit(Rows(parts.Normal));
        var expected = Scores(model);
        expected.Should().OnlyContain(score => float.IsFinite(score));
        ml.Model.Save(model, Rows(parts.Normal).Schema, In("part.zip"));
        ShouldScore(In("part.zip"), expected);

        using var bankOnly = Pipeline(options with { Prompt = options.Prompt with { CheckpointPath = null }, Training = options.Training with { Epochs = 0 } }).Fit(Rows(parts.Normal));
        Scores(bankOnly).Should().NotEqual(expected, "the prompt takes part");
    }

    [Fact]
    public void Fit_CheckpointThatIsNoPrompt_SaysWhatWasExpected()
    {
        TinyBackbones.WritePyTorch(In("clip.pt"), TinyBackbones.Clip(1));
        FluentActions.Invoking(() => Pipeline(new KagPromptOptions { Training = new() { Epochs = 0 }, Prompt = new() { Variant = GraphVariant.Released, CheckpointPath = In("clip.pt") } }).Fit(Rows(parts.Normal)))
            .Should().Throw<CheckpointMismatchException>().WithMessage("*not a checkpoint of the authors' KAG-prompt*");
    }

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string In(string name) => Path.Combine(folder, name);

    private EstimatorChain<KagPromptTransformer> Pipeline(KagPromptOptions options)
        => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag("Image", options with { Device = "cpu" }));

    private IDataView Rows(string[] paths) => ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path }).ToArray());

    private float[] Scores(ITransformer model) => [.. model.Transform(Rows(parts.Queries)).GetColumn<float>("Score")];

    private void ShouldScore(string zip, float[] expected)
    {
        var again = ml.Model.Load(zip, out _);
        using var owned = again as IDisposable;
        Scores(again).Should().Equal(expected);
    }
}
