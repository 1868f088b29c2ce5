using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Model.BackboneFiles;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>A prompt over backbones of files: its sentences, its training, and what it cannot do without.</summary>
[Collection(nameof(BackboneSearchTests))]
public sealed class BackbonePromptTests : IDisposable
{
    private readonly BackboneFiles files = new();

    [Fact]
    public void Fit_OwnPrompts_ReplaceThePapersForTheirClass()
    {
        var named = Parts
            .SelectMany(part => (TrainingImage[])[part with { ClassName = "bolt" }, part with { ClassName = "nut" }]).ToArray();
        using var usual = KagPromptTrainer.Fit(named, files.Choices);
        var prompts = new Dictionary<string, PromptEnsemble> { ["bolt"] = new(["a clean {}"], ["a rusty {}", "a bent {}"]) };
        using var own = KagPromptTrainer.Fit(named, files.Choices with { Prompts = prompts });
        torch.Tensor Text(KagPromptModel model, string name) => model.Classes[name].Reference.Value.TextFeatures!;
        Text(own, "nut").ShouldBeClose(Text(usual, "nut"), 0, "the paper's");
        Text(own, "bolt").sub(Text(usual, "bolt")).abs().max().ToSingle().Should().BeGreaterThan(1e-3f);
        using var again = files.Load(Save(own));
        Text(again, "bolt").ShouldBeClose(Text(own, "bolt"), 0, "saved");
    }

    [Fact]
    public void Validate_WrongPrompts_AreAllNamed()
    {
        var wrong = files.Choices with
        {
            Prompts = new Dictionary<string, PromptEnsemble>
            {
                ["a"] = new([], ["x"]),
                ["b"] = new(["x"], [" "]),
                ["c"] = new(["x"], [new string('x', 1001)]),
                ["d"] = new(["x"], null!),
            },
        };
        FluentActions.Invoking(((InspectionOptions)wrong).Validate)
            .Should().Throw<ArgumentException>()
            .WithMessage("*Prompt.Sentences['a'].Normal*Sentences['b'].Abnormal*Sentences['c'].Abnormal*Sentences['d'].Abnormal*");
    }

    [Fact]
    public void Fit_NoTextSide_TrainsNoPromptAndSaysSo()
        => FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, files.Choices with { Backbone = files.In("dino.safetensors") }))
            .Should().Throw<KagPromptException>().WithMessage("*no text side*Backbone.MemoryName*");

    [Fact]
    public void Fit_NoVocabulary_SaysWhichFileIsMissing()
    {
        File.Delete(files.In("vocab.json"));
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, files.Choices))
            .Should().Throw<KagPromptException>().WithMessage("*no vocabulary*");
        using var bankOnly = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0 });
        bankOnly.HasPrompt.Should().BeFalse();
    }

    [Fact]
    public void Fit_StepsThatAreFarTooLarge_StopWithStepAndRate()
        => FluentActions
            .Invoking(() => KagPromptTrainer.Fit(Parts, files.Choices with { LearningRate = 1e30f, GradientClip = 1e30f, Epochs = 3 }))
            .Should().Throw<NotFiniteException>().WithMessage("*step*epoch*rate*LearningRate*");

    [Fact]
    public void Fit_Released_KeepsRunningStatisticsOfItsImages()
    {
        using var model = KagPromptTrainer.Fit(Parts, files.Choices with { Variant = GraphVariant.Released });
        var (mean, variance) = (model.Prompt()!.Weights["output_norm.mean"], model.Prompt()!.Weights["output_norm.variance"]);
        mean.abs().max().ToSingle().Should().BeGreaterThan(0);
        variance.sub(1).abs().min().ToSingle().Should().BeGreaterThan(0);
        mean.requires_grad.Should().BeFalse();
    }

    [SkippableFact]
    [Trait("Category", "Golden")]
    public void Fit_AuthorsCheckpointOfOtherSizes_SaysWhichBackboneItNeeds()
    {
        var path = SharedFiles.Golden("kag_released_tiny.pth");
        var compact = new FitChoices { Epochs = 0, Variant = GraphVariant.Released, CheckpointPath = path };
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, compact))
            .Should().Throw<CheckpointMismatchException>().WithMessage("*compact*");
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0, CheckpointPath = path }))
            .Should().Throw<ArgumentException>().WithMessage("*Variant*Released*");
    }

    public void Dispose() => files.Dispose();
}
