using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Cells;

/// <summary>AnomalyDINO's rule, SubspaceAD's residual and RAD's search as users reach them.</summary>
public class PatchScorerModelTests
{
    public static TheoryData<string, string> Rows => new()
    {
        { "anomalydino", "compact" }, { "subspacead", "compact" }, { "rad", "compact" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Fit_SavedAndLoaded_InspectsAlikeAndFindsTheSpot(string method, string backbone)
    {
        using var model = KagPromptTrainer.Fit(MethodCase.Parts(3), Options(method, backbone));
        using var again = MethodCase.SavedAndLoaded(model);
        again.ShouldInspectAlike(model);
        var (sound, spotted) = (model.Inspect(MethodCase.Query()), model.Inspect(MethodCase.Query(44)));
        spotted.Score.Should().BeGreaterThan(sound.Score);
        var peak = Array.IndexOf(spotted.Map, spotted.Map.Max());
        (peak / MethodCase.Side).Should().BeInRange(40, 72);
        (peak % MethodCase.Side).Should().BeInRange(40, 72);
        float.IsNaN(spotted.Unlikeness).Should().Be(method == "subspacead", "a subspace remembers no patches that could be missing");
    }

    [Theory]
    [InlineData("anomalydino")]
    [InlineData("subspacead")]
    [InlineData("rad")]
    public void Fit_Region_SeesNothingOutside(string method) => MethodCase.ShouldSeeTheRegionAlone(Options(method, "resnet18"));

    [Fact]
    public void Fit_RegionAndTurnedSupports_RadKnowsWhereTheirPatchesLie()
    {
        // Of every view the patches lie inside that view's region, and are as many as their places.
        var region = InspectionRegion.FromPolygons(MethodCase.Side, MethodCase.Side, [[(60, 0), (112, 0), (112, 40), (60, 40)]]);
        var options = Options("rad", "resnet18") with
        {
            Method = new RadOptions { Memory = new() { Views = SupportViews.TurnedAndMirrored, ViewShare = 0.5f } },
            Regions = new Dictionary<string, InspectionRegion> { ["object"] = region },
        };
        using var model = KagPromptTrainer.Fit(MethodCase.Parts(2), options);
        var tensors = model.Classes["object"].Reference.Value.Tensors;
        tensors["places"].shape[0].Should().Be(tensors["bank.0"].shape[0]);
        var grid = new JoinedTaps(model.Network.Encoder.Tower.Info, MethodCase.Side).Grid;
        var inside = model.Network.Preprocessor.Place(region).CellsOf(grid);
        var first = tensors["places"].data<float>().ToArray().Chunk(2).Take(inside.Length)
            .Select(place => ((long)place[0] * grid.Columns) + (long)place[1]);
        first.Should().Equal(inside, "the first view is kept whole");
    }

    [Fact]
    public void Join_TapsOfDifferentGrids_AreReadBetweenTheirCells()
    {
        using var scope = torch.NewDisposeScope();
        var info = new VisionTowerInfo { PatchSize = 8, TapWidths = [1, 2], TapSteps = [4, 8], JointWidth = 1, ImageSize = 16,
            Mean = [0, 0, 0], Std = [1, 1, 1] };
        var joined = new JoinedTaps(info, 16);
        joined.Grid.Rows.Should().Be(4);
        var coarse = torch.tensor(new float[] { 1, 0, 0, 1, 1, 0, 1, 0 }, [1, 4, 2]);
        var cells = joined.Join([torch.ones(1, 16, 1), coarse]);
        // Second fine cell of the first row: a quarter of the way from the first coarse cell, (1, 0), to the second, (0, 1).
        var (x, y) = (0.75, 0.25);
        var length = Math.Sqrt((x * x) + (y * y));
        cells[0][1].ShouldBeClose(torch.tensor([Math.Sqrt(0.5), Math.Sqrt(0.5) * x / length, Math.Sqrt(0.5) * y / length]), 1e-6,
            "joined cell");
    }

    [Theory]
    [InlineData(0f, 4f, "TopShare")]
    [InlineData(0.5f, -1f, "MapSigma")]
    public void Validate_OutOfRange_IsNamed(float share, float sigma, string option)
        => FluentActions.Invoking(() => (Options("rad", "resnet18") with { Method = new RadOptions { TopShare = share, MapSigma = sigma } })
            .Validate())
            .Should().Throw<ArgumentException>().WithMessage($"*{option}*");

    private static InspectionOptions Options(string method, string backbone)
        => new() { Method = InspectionMethods.Default(method), Backbone = new() { Name = backbone },
            Images = new() { Size = MethodCase.Side }, Device = "cpu", Seed = 3 };
}
