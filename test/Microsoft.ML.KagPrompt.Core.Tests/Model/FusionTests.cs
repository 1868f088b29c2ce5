using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>Several fusions from one run of the networks, against models fitted for each.</summary>
public sealed class FusionTests(FusionTests.TrainedModel trained) : IClassFixture<FusionTests.TrainedModel>
{
    private const int Side = 56;
    private static readonly FitChoices Options = new() { Epochs = 1, BatchSize = 4, ImageSize = Side, Device = "cpu", Seed = 5 };
    private static readonly TrainingImage[] Parts = [.. Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(80, 70, i) })];
    private static readonly PixelBuffer[] Queries = [.. Enumerable.Range(0, 10).Select(i => TestImages.Part(80, 70 + i, 40 + i, defective: i % 2 == 1))];

    private readonly KagPromptModel model = trained.Model;

    [Fact]
    public void InspectFusions_OtherGammaAndKAndContrast_EqualsAModelFittedWithThem()
    {
        var fused = model.InspectFusions(Queries, new string?[Queries.Length], [ScoreFusion.Paper, new() { Gamma = 0.5f, TopK = 80, LocalContrast = 0.7f }]);
        ShouldBe(fused, 0, model);
        using var other = KagPromptTrainer.Fit(Parts, Options with { Epochs = 0, Gamma = 0.5f, TopK = 80, LocalContrast = 0.7f }, initial: model);
        ShouldBe(fused, 1, other);
    }

    [Fact]
    public void InspectFusions_OneBranch_LeavesTheOtherOut()
    {
        var fused = model.InspectFusions(Queries, new string?[Queries.Length],
            [ScoreFusion.Paper with { Branches = ScoringBranches.MemoryBank }, ScoreFusion.Paper with { Branches = ScoringBranches.Prompt }, ScoreFusion.Paper with { Gamma = 1 }]);
        using var bankOnly = KagPromptTrainer.Fit(Parts, Options with { Epochs = 0, FromScratch = true });
        ShouldBe(fused, 0, bankOnly);
        foreach (var query in fused)
        {
            // With γ = 1 the map is the prompt's, and the score s1.
            query[1].Map.Should().Equal(query[2].Map, (a, b) => Math.Abs(a - b) < 1e-6f);
            var largest = query[1].Map.OrderDescending().Take((int)Math.Round(30.0 * Side * Side / (224 * 224))).Average();
            query[1].Score.Should().BeApproximately((0.1f * query[2].Score) + (0.9f * largest), 1e-5f);
        }
    }

    [Fact]
    public void InspectFusions_WrongArguments_SayWhatIsExpected()
    {
        using var bankOnly = KagPromptTrainer.Fit(Parts, Options with { Epochs = 0, FromScratch = true });
        FluentActions.Invoking(() => bankOnly.InspectFusions(Queries, new string?[Queries.Length], [new() { Branches = ScoringBranches.Prompt }])).Should().Throw<ArgumentException>().WithMessage("*needs a trained graph prompt*");
        FluentActions.Invoking(() => model.InspectFusions(Queries, new string?[Queries.Length], [new() { Gamma = 2, TopK = 0, LocalContrast = 1.5f, Branches = (ScoringBranches)9 }]))
            .Should().Throw<ArgumentException>().WithMessage("*4 invalid*Branches*Gamma: expected 0 to 1, got 2*TopK: expected 1 to 50176, got 0*LocalContrast: expected 0 to 1, got 1.5*");
        FluentActions.Invoking(() => model.InspectFusions(Queries, [], [new()])).Should().Throw<ArgumentException>().WithMessage("*expected one for each of 10 images, got 0*");
        model.InspectFusions([], [], [new()]).Should().BeEmpty();
    }

    [Fact]
    public void Fit_NoIterations_TrainsWithoutTheGraphAndSurvivesSaving()
    {
        using var without = KagPromptTrainer.Fit(Parts, Options with { Iterations = 0 });
        using var stream = new MemoryStream();
        without.Save(stream);
        stream.Position = 0;
        using var again = KagPromptModel.Load(stream, "cpu");
        ((KagOptions)again.Options.Method).Prompt.Iterations.Should().Be(0);
        var (expected, actual) = (without.Inspect(Queries, new string?[Queries.Length]), again.Inspect(Queries, new string?[Queries.Length]));
        actual.Select(result => result.Score).Should().Equal(expected.Select(result => result.Score));
        expected.Select(result => result.Score).Should().NotEqual(model.Inspect(Queries, new string?[Queries.Length]).Select(result => result.Score));
        using var untrained = new GraphPrompt(GraphPromptConfig.For(without.Info(), GraphVariant.Paper, 0), seed: 5);
        without.Prompt()!.Weights["gru.update.weight"].ShouldBeClose(untrained.Weights["gru.update.weight"], 0, "no gradient reaches the graph");
    }

    private static void ShouldBe(IReadOnlyList<IReadOnlyList<FusedInspection>> fused, int way, KagPromptModel expected)
    {
        var inspections = expected.Inspect(Queries, new string?[Queries.Length]);
        for (var i = 0; i < Queries.Length; i++)
        {
            fused[i][way].Score.Should().Be(inspections[i].Score);
            fused[i][way].Map.Should().Equal(inspections[i].Map);
        }
    }

    /// <summary>Training takes longest: it is done once.</summary>
    public sealed class TrainedModel : IDisposable
    {
        public KagPromptModel Model { get; } = KagPromptTrainer.Fit(Parts, Options);

        public void Dispose() => Model.Dispose();
    }
}
