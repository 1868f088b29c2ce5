using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Evaluation;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Evaluation;

/// <summary>Methods compared on rendered parts in memory: their paths are no files.</summary>
public class MethodComparisonTests
{
    private static readonly MethodOptions[] Two = [new PatchCoreOptions(), new SpadeOptions()];

    private static DatasetImage[] Good
        => [.. Enumerable.Range(0, 4).Select(i => new DatasetImage($"train {i}", "bolt", DatasetSplit.Train, false, "good", null))];

    private static DatasetImage[] Test =>
    [
        .. Enumerable.Range(20, 3).Select(i => new DatasetImage($"good {i}", "bolt", DatasetSplit.Test, false, "good", null)),
        .. Enumerable.Range(20, 3).Select(i => new DatasetImage($"bad {i}", "bolt", DatasetSplit.Test, true, "bar", "mask")),
    ];

    private static InspectionOptions Small => new FitChoices { ImageSize = 56 };

    [Fact]
    public void Run_TestSideWithDefects_RanksByLabels()
    {
        var results = MethodComparison.Run(new("parts", [.. Good, .. Test]), Small, new Parts(), new() { Methods = Two, Pictures = 3 });
        results.IsByLabels.Should().BeTrue();
        results.Figures[0].Name.Should().Be("image_auroc");
        results.Methods.Select(method => method.Name).Should().BeEquivalentTo("patchcore", "spade");
        results.Methods.Select(method => method.ImageAuroc).Should().BeInDescendingOrder();
        results.Methods.Should().OnlyContain(method =>
            method.PixelAuroc > 0.5 && method.BalancedError != null && method.SecondsFit > 0 && method.MillisecondsPerImage > 0);
        results.Images.Select(image => image.Kind).Should().Equal("bar", "bar", "good");
        results.Images[0].Truth.Should().HaveCount(80 * 80).And.Contain(true).And.Contain(false);
        foreach (var method in results.Methods)
        {
            method.Inspections.Should().HaveCount(3).And.OnlyContain(result => result.Map.Length == 80 * 80 && result.Width == 80);
            method.Inspections[0].Score.Should().BeGreaterThan(method.Inspections[2].Score, "{0} sees the bar", method.Name);
        }
    }

    [Fact]
    public void Run_ModelBytes_AreWhatIsSaved()
    {
        var spade = new SpadeOptions();
        var own = Small with { Method = spade with { Memory = spade.Memory with { MaxSupportImages = 2 } } };
        var parts = new Parts();
        var results = MethodComparison.Run(new("parts", Good), Small, parts,
            new() { Methods = [new SpadeOptions()], Shots = 2, Pictures = 0 });
        using var model = KagPromptTrainer.Fit(
            Good.Take(2).Select(image => new TrainingImage { Image = parts.Read(image), ClassName = "bolt" }), own);
        using var saved = new MemoryStream();
        model.Save(saved);
        results.Methods[0].ModelBytes.Should().BeCloseTo(saved.Length, 4096,
            "the same sizes; scores in the manifest differ in their digits");
        results.Images.Should().BeEmpty();
    }

    [Fact]
    public void Run_GoodPhotographsAlone_RanksByLeftOutOnesAndSaysSo()
    {
        var results = MethodComparison.Run(new("parts", Good), Small, new Parts(), new() { Methods = Two, Pictures = 2 });
        results.IsByLabels.Should().BeFalse();
        results.Figures[0].Name.Should().Be("separation");
        results.Methods.Select(method => method.Separation).Should().BeInDescendingOrder();
        results.Methods.Should().OnlyContain(method =>
            method.Separation > 0.5 && method.SyntheticDefectsFound != null && method.Distance > 0
            && method.ImageAuroc == null && !method.HasSeenLeftOut);
        results.Images.Should().HaveCount(2)
            .And.OnlyContain(image => image.Kind == "a synthetic defect on a photograph that was fitted on" && image.Truth.Contains(true));
        results.Notes.Should().ContainMatch("*synthetic defects on photographs that were left out*");
    }

    [Fact]
    public void Run_OnePhotograph_TellsNoSeparation()
    {
        var results = MethodComparison.Run(new("parts", Good[..1]), Small, new Parts(), new() { Methods = Two, Pictures = 0 });
        results.Methods.Should().HaveCount(2)
            .And.OnlyContain(method => method.Separation == null && method.Distance == null && method.SyntheticDefectsFound != null);
        results.Notes.Should().ContainMatch("bolt: of a single photograph*");
    }

    [Fact]
    public void Run_Shots_FitsOnThatMany()
    {
        var choices = new ComparisonChoices { Methods = [new PatchCoreOptions()], Shots = 3, Pictures = 1 };
        var results = MethodComparison.Run(new("parts", Good), Small with { Seed = 1 }, new Parts(), choices);
        results.Methods[0].Calibrations["bolt"].SupportImages.Should().Be(3);
        var left = new Product("", "bolt", Good, Good, []).Draw(1)[3];
        results.Images[0].Name.Should().Be(left.Path, "a photograph that was not fitted on is shown first");
        results.Images[0].Kind.Should().EndWith("that was not fitted on");
        FluentActions.Invoking(() => MethodComparison.Run(new("parts", Good), Small, new Parts(), choices with { Shots = 5 }))
            .Should().Throw<InsufficientDataException>().WithMessage("*'bolt'*at least 5*got 4*");
    }

    [Fact]
    public void Run_BackboneWithoutWindows_ListsTheMethodThatNeedsThem()
    {
        MethodOptions[] methods = [new WinClipOptions(), new SpadeOptions()];
        var results = MethodComparison.Run(new("parts", Good), Small, new Parts(), new() { Methods = methods, Pictures = 0 });
        results.Methods.Should().ContainSingle().Which.Name.Should().Be("spade");
        results.Refused.Should().ContainSingle()
            .Which.Should().Match<RefusedMethod>(refused => refused.Name == "winclip" && refused.Reason.Contains("'compact'"));
        FluentActions.Invoking(() => MethodComparison.Run(new("parts", Good), Small, new Parts(), new() { Methods = methods[..1] }))
            .Should().Throw<ArgumentException>().WithMessage("Method 'winclip'*");
    }

    [Fact]
    public void Ranked_FiguresThatCannotBeTold_ComeLast()
    {
        ComparedMethod[] methods =
        [
            Labelled("none", null, null), Labelled("tied", 0.9, 0.3), Labelled("best", 0.9, 0.1), Labelled("worse", 0.8, 0),
        ];
        ComparisonRun.Ranked(methods, isByLabels: true).Select(method => method.Name).Should().Equal("best", "tied", "worse", "none");
        ComparedMethod[] apart =
        [
            LeftOut("near", [1, 2], [2.5f, 3], 2.75f), LeftOut("mixed", [1, 3], [2, 4], 0), LeftOut("far", [1, 2], [8, 9], 5),
        ];
        ComparisonRun.Ranked(apart, isByLabels: false).Select(method => method.Name).Should().Equal("far", "near", "mixed");
    }

    [Fact]
    public void LeftOut_KnownScores_AreCountedInPairs()
    {
        var method = LeftOut("any", [1, 2], [2, 4], 3);
        method.Separation.Should().Be(0.875, "of four pairs three are in order and one is tied");
        method.Distance.Should().BeApproximately(1.5 / Math.Sqrt((0.5 + 2) / 2), 1e-9);
        method.SyntheticDefectsFound.Should().Be(0.5);
        ComparisonFigure.LeftOut[0].TextOf(method).Should().Be("87.5");
        ComparisonFigure.ByLabels[0].TextOf(method).Should().Be("–");
    }

    [Fact]
    public void Validate_WrongChoices_AreAllNamed()
        => FluentActions.Invoking(()
            => new ComparisonChoices { Methods = [new SpadeOptions(), new SpadeOptions()], Shots = 0, Pictures = -1 }.Validate())
            .Should().Throw<ArgumentException>().WithMessage("*Methods: *each once, got spade, spade*Shots: *got 0*Pictures: *got -1*");

    private static ComparedMethod LeftOut(string name, float[] sound, float[] defective, float threshold) => new()
    {
        Name = name,
        Cells = [],
        Calibrations = new Dictionary<string, ThresholdCalibration>
        {
            ["bolt"] = new()
            {
                Method = "", Threshold = threshold, MapThreshold = threshold, Scale = 1, SupportImages = 2,
                NormalScores = sound, SyntheticScores = defective,
            },
        },
        Inspections = [],
        HasSeenLeftOut = false,
        SecondsFit = 1,
        MillisecondsPerImage = 1,
        ModelBytes = 1,
    };

    private static ComparedMethod Labelled(string name, double? auroc, double? error)
        => LeftOut(name, [], [], 0) with
        {
            Cells = [new() { Dataset = "d", Class = "c", Shots = 1, Seed = 0, ImageAuroc = auroc, BalancedError = error }],
        };

    private sealed class Parts : IEvaluationImages
    {
        public void Check(DatasetImage image)
        {
        }

        public PixelBuffer Read(DatasetImage image)
            => TestImages.Part(
                80, 80, int.Parse(image.Path.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), image.IsAnomalous == true);

        public bool[] ReadMask(DatasetImage image, int side, ResizeMode mode) => image.MaskPath is null ? []
            : [.. Enumerable.Range(0, side * side).Select(p =>
                Math.Abs(((double)(p / side) / side) - 0.2) < 0.06 && Math.Abs(((double)(p % side) / side) - 0.5) < 0.2)];
    }
}
