using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>WinCLIP and APRIL-GAN through ML.NET's pipeline and zip.</summary>
public sealed class MethodsWithWordsTests : IClassFixture<PartFolder>, IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-words-").FullName;
    private readonly PartFolder parts;

    public MethodsWithWordsTests(PartFolder parts)
    {
        this.parts = parts;
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), TinyBackbones.Clip(1));
        TinyBackbones.WriteVocabulary(folder);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DetectAnomaliesWinClip_SavedAndLoaded_ScoresAlike(bool zeroShot)
    {
        var options = new KagPromptOptions { Backbone = new() { Name = In("clip.safetensors") }, Device = "cpu" };
        var method = new WinClipOptions { ZeroShot = zeroShot };
        using var model = Pipeline(ml.Transforms.DetectAnomaliesWinClip("Image", method, options)).Fit(Rows(parts.Normal));
        ShouldSurvive(model);
        ((WinClipOptions)model.LastTransformer.Options.Method!).ZeroShot.Should().Be(zeroShot);
    }

    [Fact]
    public void DetectAnomaliesWinClip_DefaultBackbone_SaysWhichItTakes()
        => FluentActions.Invoking(() => Pipeline(ml.Transforms.DetectAnomaliesWinClip()).Fit(Rows(parts.Normal)))
            .Should().Throw<ArgumentException>().WithMessage("*winclip*windows*'resnet18'*CLIP or OpenCLIP*");

    [Fact]
    public void DetectAnomaliesAprilGan_SavedAndLoaded_ScoresAlike()
    {
        var options = new KagPromptOptions { Backbone = new() { Name = "compact" }, Images = new() { Size = 56 }, Device = "cpu" };
        var method = new AprilGanOptions { Training = new() { Epochs = 2 } };
        using var model = Pipeline(ml.Transforms.DetectAnomaliesAprilGan("Image", method, options)).Fit(Rows(parts.Normal));
        ShouldSurvive(model);
    }

    [Fact]
    public void DetectAnomaliesAprilGan_ValuesOutOfRange_NamesThemAll()
        => FluentActions.Invoking(() => ml.Transforms.DetectAnomaliesAprilGan(method: new()
        {
            HeadsPath = "", Training = new() { Epochs = -1, BatchSize = 0, LearningRate = 0 },
            Prompts = new Dictionary<string, PromptEnsemble> { ["bolt"] = new([], ["a broken {}"]) },
        })).Should().Throw<ArgumentException>()
            .WithMessage("*HeadsPath*Training.Epochs*Training.BatchSize*Training.LearningRate*Prompts['bolt'].Normal*");

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void ShouldSurvive(TransformerChain<KagPromptTransformer> model)
    {
        var (scores, maps) = Verdicts(model);
        scores.Should().OnlyContain(score => float.IsFinite(score)).And.OnlyHaveUniqueItems();
        ml.Model.Save(model, Rows(parts.Normal).Schema, In("part.zip"));
        var loaded = ml.Model.Load(In("part.zip"), out _);
        using var owned = loaded as IDisposable;
        var (scoresThere, mapsThere) = Verdicts(loaded);
        scoresThere.Should().Equal(scores);
        mapsThere.Zip(maps).Should().OnlyContain(pair => pair.First.SequenceEqual(pair.Second));
    }

    private string In(string name) => Path.Combine(folder, name);

    private EstimatorChain<KagPromptTransformer> Pipeline(KagPromptEstimator estimator)
        => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(estimator);

    private IDataView Rows(string[] paths) => ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path }).ToArray());

    private (float[] Scores, float[][] Maps) Verdicts(ITransformer model)
    {
        var scored = model.Transform(Rows(parts.Queries));
        return ([.. scored.GetColumn<float>("Score")],
            [.. scored.GetColumn<VBuffer<float>>("AnomalyMap").Select(map => map.DenseValues().ToArray())]);
    }
}
