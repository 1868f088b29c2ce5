using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Tests.Methods;

namespace Microsoft.ML.KagPrompt.Tests.Fitting;

/// <summary>Fits that share towers and features come to what each comes to alone, and nothing is computed twice.</summary>
public sealed class FitSharingTests(EveryMethodTests.Fitted alone) : IClassFixture<EveryMethodTests.Fitted>
{
    private const long Room = 1L << 30;

    [Theory]
    [InlineData("kag", "compact")]
    [InlineData("kag", "resnet18")]
    [InlineData("patchcore", "resnet18")]
    [InlineData("patchcore", "compact")]
    [InlineData("winclip", EveryMethodTests.TinyClip)]
    [InlineData("promptad", EveryMethodTests.TinyClip)]
    public void Fit_Again_FindsEveryBatchAndScoresBitForBitAsAlone(string method, string backbone)
    {
        using var sharing = new FitSharing(Room);
        var computed = 0;
        foreach (var isFirst in new[] { true, false })
        {
            using var model = Fit(method, backbone, sharing);
            var (known, found) = (alone.Model(method, backbone), model.Inspect(EveryMethodTests.Defective));
            found.Score.Should().Be(known.Inspect(EveryMethodTests.Defective).Score);
            found.Map.Should().Equal(known.Inspect(EveryMethodTests.Defective).Map);
            model.CalibrationOf("a").Should().BeEquivalentTo(known.CalibrationOf("a"));
            computed = isFirst ? sharing.Features.Batches.Computed : computed;
        }

        computed.Should().BePositive();
        sharing.Features.Batches.Should().Match<(int Computed, int Found)>(
            batches => batches.Computed == computed && batches.Found >= computed, "the second time nothing is computed");
        sharing.TimeSaved.Should().BePositive();
    }

    [Theory]
    [InlineData("anomalydino", "subspacead", true)]
    [InlineData("patchcore", "spade", true)]
    [InlineData("anomalydino", "patchcore", false)]
    public void Fit_AnotherMethod_SharesWhatTheTowerMakesAlike(string first, string second, bool isShared)
    {
        using var sharing = new FitSharing(Room);
        Fit(first, "resnet18", sharing).Dispose();
        var before = sharing.Features.Batches;
        Fit(second, "resnet18", sharing).Dispose();
        (sharing.Features.Batches.Found > before.Found).Should().Be(isShared);
    }

    [Fact]
    public void Fit_OtherTilesOfTheSameSize_SharesNothing()
    {
        using var sharing = new FitSharing(Room);
        var options = EveryMethodTests.Options("kag", "resnet18");
        using var whole = Fit(options with { Images = new() { Size = 112, Tiles = 1 } }, sharing);
        var before = sharing.Features.Batches;
        using var tiled = Fit(options with { Images = new() { Size = 64, Tiles = 2 } }, sharing);
        tiled.MapSize.Should().Be(whole.MapSize);
        sharing.Features.Batches.Found.Should().Be(before.Found);
    }

    [Fact]
    public void Fit_WithoutRoom_ComputesEachTimeAndScoresTheSame()
    {
        using var sharing = new FitSharing(0);
        Fit("kag", "resnet18", sharing).Dispose();
        using var model = Fit("kag", "resnet18", sharing);
        model.Inspect(EveryMethodTests.Defective).Score.Should()
            .Be(alone.Model("kag", "resnet18").Inspect(EveryMethodTests.Defective).Score);
        sharing.Features.Batches.Found.Should().Be(0);
    }

    [Fact]
    public void Dispose_OfTheSharing_LeavesModelsWhole()
    {
        KagPromptModel model;
        using (var sharing = new FitSharing(Room))
        {
            model = Fit("kag", "resnet18", sharing);
            model.Inspect(EveryMethodTests.Defective);
        }

        using (model)
        {
            model.Inspect(EveryMethodTests.Defective).Score.Should()
                .Be(alone.Model("kag", "resnet18").Inspect(EveryMethodTests.Defective).Score);
        }
    }

    private static KagPromptModel Fit(string method, string backbone, FitSharing sharing)
        => Fit(EveryMethodTests.Options(method, backbone), sharing);

    private static KagPromptModel Fit(InspectionOptions options, FitSharing sharing)
        => KagPromptTrainer.Fit(EveryMethodTests.Images("a", EveryMethodTests.Supports), options, null, sharing, null, default);
}
