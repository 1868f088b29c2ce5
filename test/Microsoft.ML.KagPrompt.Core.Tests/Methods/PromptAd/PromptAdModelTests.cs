using Microsoft.ML.KagPrompt.Methods.PromptAd;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.PromptAd;

/// <summary>PromptAD as users reach it, on a tiny CLIP.</summary>
public sealed class PromptAdModelTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-promptad-").FullName;

    public PromptAdModelTests()
    {
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), TinyBackbones.Clip(1));
        TinyBackbones.WriteSafetensors(In("dino.safetensors"), TinyBackbones.DinoV2(2));
        TinyBackbones.WriteVocabulary(folder);
    }

    private InspectionOptions Options => new()
    {
        Method = new PromptAdOptions { Epochs = 3, LearningRate = 0.1f }, Backbone = new() { Name = In("clip.safetensors") },
            Images = new() { Size = MethodCase.Side }, Device = "cpu", Seed = 3,
    };

    [Fact]
    public void Fit_SavedAndLoaded_InspectsAlikeWithoutATextTower()
    {
        using var model = KagPromptTrainer.Fit(MethodCase.Parts(3), Options);
        File.Delete(In("vocab.json"));
        using var again = MethodCase.SavedAndLoaded(model);
        again.ShouldInspectAlike(model);
        model.Inspect(MethodCase.Query()).Map.Should().OnlyContain(value => value >= 0 && value <= 1);
        model.Inspect(MethodCase.Query(44)).Score.Should().BeGreaterThan(model.Inspect(MethodCase.Parts(1)[0].Image).Score,
            "of a support every patch is known");
    }

    [Fact]
    public void Fit_SameSeed_GivesTheSameAndAnotherSeedAnother()
    {
        using var one = KagPromptTrainer.Fit(MethodCase.Parts(2), Options);
        using var same = KagPromptTrainer.Fit(MethodCase.Parts(2), Options);
        using var other = KagPromptTrainer.Fit(MethodCase.Parts(2), Options with { Seed = 4 });
        same.ShouldInspectAlike(one);
        other.Inspect(MethodCase.Query()).Score.Should().NotBe(one.Inspect(MethodCase.Query()).Score);
    }

    [Fact]
    public void Fit_TwoClasses_TrainsTwicePerClassAndTellsEveryStep()
    {
        var steps = new List<TrainingProgress>();
        var images = MethodCase.Parts(2).Append(MethodCase.Parts(3)[2] with { ClassName = "nut" });
        using var model = KagPromptTrainer.Fit(images, Options, progress: new ProgressCallback(steps.Add));
        var training = steps.Where(step => step.Phase == "training").ToArray();
        training.Select(step => step.Done).Should().Equal([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6],
            "three steps for the map and three for the score, class by class");
        training.Should().OnlyContain(step => step.Total == 6 && float.IsFinite(step.Loss.CrossEntropy));
        training[5].Loss.CrossEntropy.Should().BeLessThan(training[3].Loss.CrossEntropy, "the words are learned");
        var (first, second) = (Directions(model, "object"), Directions(model, "nut"));
        first.Should().NotEqual(second);

        static float[] Directions(KagPromptModel model, string name)
            => ((PromptAdReference)model.Classes[name].Reference.Value).TextFeatures.data<float>().ToArray();
    }

    [Fact]
    public void Fit_Region_SeesNothingOutside() => MethodCase.ShouldSeeTheRegionAlone(Options);

    [Fact]
    public void Adapt_LoadedModel_LearnsTheNewClass()
    {
        using var model = KagPromptTrainer.Fit(MethodCase.Parts(2), Options);
        using var adapted = KagPromptTrainer.Adapt(model, MethodCase.Parts(1).Select(image => image with { ClassName = "nut" }));
        adapted.ClassNames.Should().BeEquivalentTo("object", "nut");
        adapted.Inspect(MethodCase.Query(), "object").Score.Should().Be(model.Inspect(MethodCase.Query()).Score);
        float.IsFinite(adapted.Inspect(MethodCase.Query(), "nut").Score).Should().BeTrue();
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("compact")]
    [InlineData("dino.safetensors")]
    public void Fit_BackboneThatCannot_NamesThoseThatCan(string backbone)
    {
        var name = backbone.Contains('.') ? In(backbone) : backbone;
        FluentActions.Invoking(() => KagPromptTrainer.Fit(MethodCase.Parts(1), Options with { Backbone = new() { Name = name } }).Dispose())
            .Should().Throw<ArgumentException>().WithMessage("*promptad*transformer with a text tower*CLIP, OpenCLIP or ImageBind*");
    }

    [Fact]
    public void Validate_OutOfRange_IsNamedAll()
    {
        var options = new PromptAdOptions
        {
            Epochs = 0, LearningRate = float.NaN, Momentum = 1, NormalWords = 0, MapSigma = -1,
            ClassStates = new Dictionary<string, IReadOnlyList<string>> { ["nut"] = ["bent"] },
        };
        FluentActions.Invoking(() => (Options with { Method = options }).Validate()).Should().Throw<ArgumentException>()
            .WithMessage("*Epochs*LearningRate*Momentum*NormalWords*MapSigma*ClassStates['nut']*{}*");
    }

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
        scope.Dispose();
    }

    private string In(string name) => Path.Combine(folder, name);

    private sealed class ProgressCallback(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => tell(value);
    }
}
